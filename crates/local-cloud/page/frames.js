// Work that waits for the next frame: whatever happens meanwhile, it is done once.

/** Milliseconds that a piece of long work may take of a frame. */
export const BUDGET = 8;
const HIDDEN = 250;
const waiting = new Set();
let asked = false;

export function nextFrame(work) {
  waiting.add(work);
  if (!asked) {
    asked = true;
    ask();
  }
}

/** A page that nobody sees has no frames. */
function ask() {
  if (document.hidden) setTimeout(run, HIDDEN);
  else requestAnimationFrame(run);
}

function run() {
  if (!asked) return;
  asked = false;
  const now = [...waiting];
  waiting.clear();
  for (const work of now) work();
}

document.addEventListener("visibilitychange", () => {
  if (asked) ask();
});
