// The feed of what happens, read as it comes, and again after it was cut.
//
// Lines are parsed in pieces that leave room for frames. While many wait, nothing more is
// read: then the local cloud drops what is too much and says how many those were.

import { BUDGET, nextFrame } from "./frames.js";

const URL = "/_local/traffic";
const WAITING = 4_000;
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 5_000;

/** Tells `onEvents` of events, a batch a frame, and `onState` of "open" and of "closed" with the next attempt. */
export function listen({ onEvents, onState }) {
  let lines = [];
  let first = 0;
  let room = null;
  let pause = FIRST_PAUSE;

  function drain() {
    const until = performance.now() + BUDGET;
    const batch = [];
    while (first < lines.length && performance.now() < until) {
      for (let n = 0; n < 16 && first < lines.length; n += 1) {
        const line = lines[first++];
        if (!line) continue;
        try {
          batch.push(JSON.parse(line));
        } catch { /* a line that was cut at the end of a stream */ }
      }
    }
    if (first === lines.length) {
      lines = [];
      first = 0;
    }
    if (batch.length) onEvents(batch);
    if (lines.length - first < WAITING && room) {
      room();
      room = null;
    }
    if (lines.length) nextFrame(drain);
  }

  async function read() {
    const answer = await fetch(URL, { cache: "no-store" });
    if (!answer.ok) {
      const said = await answer.json().catch(() => null);
      throw new Error(said?.message ?? `it answers ${answer.status}`);
    }
    onState("open");
    pause = FIRST_PAUSE;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const parts = (rest + value).split("\n");
      rest = parts.pop();
      for (const part of parts) lines.push(part);
      nextFrame(drain);
      if (lines.length - first >= WAITING) await new Promise((resolve) => { room = resolve; });
    }
  }

  (async () => {
    for (;;) {
      let why = "";
      try {
        await read();
      } catch (error) {
        why = error instanceof TypeError ? "" : error.message;
      }
      onState("closed", why);
      await new Promise((resolve) => { setTimeout(resolve, pause); });
      pause = Math.min(LONGEST_PAUSE, pause * 2);
      onState("connecting");
    }
  })();
}
