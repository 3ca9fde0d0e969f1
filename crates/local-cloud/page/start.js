// Begins once the page has been painted for the first time: what is there to be read comes
// before what makes it live. A page that nobody sees isn't painted.

const begin = () => import("./app.js");

if (document.hidden) begin();
else requestAnimationFrame(() => setTimeout(begin));
