// What is said to whoever acts: shown for a while, and read out.

import { byId, setText } from "./dom.js";

const SHOWN = 6_000;
let timer = null;

/** The outcome of what was clicked. */
export function notice(text, problem = false) {
  const toast = byId("toast");
  toast.hidden = false;
  toast.classList.toggle("bad", problem);
  setText(toast, text);
  say(text);
  clearTimeout(timer);
  timer = setTimeout(() => { toast.hidden = true; }, SHOWN);
}

/** For screen readers alone. */
export function say(text) {
  setText(byId("said"), text);
}

/** Does it with the button off meanwhile, and says what came of it. */
export async function attempt(button, act, done) {
  if (button) button.disabled = true;
  try {
    const result = await act();
    if (done) notice(done(result));
    return result;
  } catch (error) {
    notice(error.message, true);
    return undefined;
  } finally {
    if (button) button.disabled = false;
  }
}
