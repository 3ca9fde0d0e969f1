// The view of what happens, newest last: 10,000 rows, filtered a piece a frame.

import { hideDetail, showDetail } from "./detail.js";
import { byId, setText } from "./dom.js";
import { plural } from "./format.js";
import { BUDGET, nextFrame } from "./frames.js";
import { fillCells, List, rowElement } from "./list.js";
import { say } from "./notices.js";
import { filterOf } from "./rows.js";
import { clearRows, on, state } from "./state.js";

const ROW = 28;
const HEAD = 30;
const SAY_EVERY = 10_000;

let list;
let shown = [];
let left = 0;
/** How many of the source have been looked at. */
let looked = 0;
/** The rows as they were when it was paused. */
let frozen = null;
let fits = () => true;
let opened = null;
/** What is shown beside the list. */
let marked = null;

const source = () => frozen ?? state.rows;

export function begin() {
  const scroller = byId("grid");
  list = new List({
    scroller,
    space: byId("space"),
    rowHeight: ROW,
    headHeight: HEAD,
    make: () => rowElement(["at", "kind", "what", "who", "status", "took"]),
    fill(element, row) {
      fillCells(element, [row.time, row.kind, row.what, row.who, row.status, row.took]);
      element.className = `row k-${row.kind}${row.failed ? " bad" : ""}`;
    },
    onFollow(following) { byId("follow").hidden = following; },
    onOpen: open,
  });
  for (const control of ["kinds", "failed", "filter"]) byId(control).addEventListener("input", choose);
  byId("pause").addEventListener("click", pause);
  byId("clear").addEventListener("click", () => {
    if (frozen) pause();
    clearRows();
    say("The traffic is empty.");
  });
  byId("follow").addEventListener("click", () => {
    list.follow(true);
    scroller.focus();
  });
  choose();
  on("rows", arrived);
  on("past", anew);
  setInterval(summary, SAY_EVERY);
}

export function show({ name, id }) {
  const kept = name === "invocation" || name === "event";
  if (kept) showDetail(name, id, close);
  else hideDetail();
  document.body.classList.toggle("with-detail", kept);
  marked = kept ? `${name}/${encodeURIComponent(id)}` : null;
  mark();
  if (kept && opened?.byKey) byId("detail-title")?.focus({ preventScroll: true });
  opened = null;
  list.change();
}

const idOf = (row) => row.id ?? `event/${row.event.seq}`;

/** The row of what is shown beside; who came by a link finds the newest such row. */
function mark() {
  if (!marked || (list.active && idOf(list.active) === marked)) return;
  const found = shown.findLast((row) => idOf(row) === marked);
  if (found) list.activate(found);
}

function open(row) {
  const hash = `#${idOf(row)}`;
  opened = { byKey: document.activeElement === byId("grid") && document.querySelector("#grid:focus-visible") !== null };
  if (location.hash === hash) byId("detail-title")?.focus({ preventScroll: true });
  else location.hash = hash;
}

function close() {
  location.hash = "#traffic";
  byId("grid").focus({ preventScroll: true });
}

export function escape(event) {
  if (event.target === byId("filter")) {
    if (byId("filter").value) {
      byId("filter").value = "";
      choose();
    }
    byId("grid").focus();
  } else if (!byId("detail").hidden) {
    close();
  }
}

/** Reads what shall be shown from the controls. */
function choose() {
  const kinds = new Set([...byId("kinds").querySelectorAll("input:checked")].map((box) => box.value));
  fits = filterOf({ kinds, failedOnly: byId("failed").checked, words: byId("filter").value });
  anew();
}

function anew() {
  shown = [];
  left = 0;
  looked = 0;
  list.set(shown, 0);
  nextFrame(look);
}

function arrived(dropped) {
  if (frozen) return nextFrame(tally);
  looked = Math.max(0, looked - dropped);
  nextFrame(look);
  return undefined;
}

/** Looks at what hasn't been looked at, as far as a frame has time for it. */
function look() {
  const rows = source();
  const until = performance.now() + BUDGET;
  while (looked < rows.length && performance.now() < until) {
    const end = Math.min(rows.length, looked + 64);
    for (; looked < end; looked += 1) if (fits(rows[looked])) shown.push(rows[looked]);
  }
  if (!frozen) {
    let gone = 0;
    while (gone < shown.length && shown[gone].gone) gone += 1;
    if (gone) {
      shown.splice(0, gone);
      left += gone;
      list.dropped(gone);
    }
  }
  list.change();
  tally();
  if (looked < rows.length) nextFrame(look);
  else if (marked && !list.active) mark();
}

function tally() {
  const rows = source();
  const parts = [shown.length === rows.length ? plural(rows.length, "event") : `${shown.length.toLocaleString("en")} of ${plural(rows.length, "event")}`];
  if (frozen) {
    const newer = state.dropped + state.rows.length - frozen.end;
    parts.push(newer ? `paused, ${newer.toLocaleString("en")} newer` : "paused");
  }
  setText(byId("tally"), parts.join(" · "));
  byId("traffic-empty").hidden = rows.length > 0;
}

function pause() {
  if (frozen) {
    frozen = null;
  } else {
    frozen = state.rows.slice();
    frozen.end = state.dropped + state.rows.length;
  }
  const button = byId("pause");
  button.setAttribute("aria-pressed", String(frozen !== null));
  setText(button, frozen ? "Resume" : "Pause");
  say(frozen ? "Paused: what happens is kept, and not shown." : "Going on.");
  if (!frozen) list.follow(true);
  anew();
}

let said = { total: 0, failures: 0 };

/** Now and then how much there was, for who doesn't see it. */
function summary() {
  const total = state.dropped + state.rows.length;
  const count = total - said.total;
  const failed = state.failures - said.failures;
  said = { total, failures: state.failures };
  if (count > 0 && !byId("view-traffic").hidden && !document.hidden && !frozen) say(`${plural(count, "new event")}${failed > 0 ? `, ${failed} failed` : ""}.`);
}
