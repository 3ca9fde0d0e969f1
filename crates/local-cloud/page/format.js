// How times, sizes and JSON are written.

const two = (n) => String(n).padStart(2, "0");

/** 10:03:07.130 */
export function clock(at) {
  const time = new Date(at);
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}

const day = (time) => `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;

/** 2026-11-24 10:03:07 */
export function date(at) {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? "" : `${day(time)} ${clock(time).slice(0, 8)}`;
}

/** 2026-11-24 10:03:07.130 */
export function moment(at) {
  return `${day(new Date(at))} ${clock(at)}`;
}

/** 3.9 ms, 28 ms, 1.50 s */
export function duration(ms) {
  if (ms === null || ms === undefined) return "";
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms >= 10 ? Math.round(ms) : ms.toFixed(1)} ms`;
}

export function age(at) {
  const seconds = Math.max(0, Math.floor((Date.now() - at) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

export function bytes(count) {
  return count < 1024 ? `${count} B` : `${(count / 1024).toFixed(1)} KB`;
}

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** JSON laid out, or the text as it is. */
export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b/g;

/** JSON as nodes, with keys, strings and other values told apart; other texts as they are. */
export function coloured(text) {
  if (!/^\s*[{[]/.test(text)) return [text];
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(TOKENS)) {
    if (match.index > end) nodes.push(text.slice(end, match.index));
    const [all, string, colon] = match;
    const span = document.createElement("span");
    span.className = colon ? "j-key" : string ? "j-text" : "j-value";
    span.textContent = string ?? all;
    nodes.push(span);
    if (colon) nodes.push(colon);
    end = match.index + all.length;
  }
  nodes.push(text.slice(end));
  return nodes;
}
