// The view of who is connected, and the button that cuts a connection.

import * as api from "./api.js";
import { byId, el, setText, table, unseen } from "./dom.js";
import { age, date, plural } from "./format.js";
import { nextFrame } from "./frames.js";
import { attempt } from "./notices.js";
import { on, state, stages } from "./state.js";

const SHOWN = 300;
const EVERY = 300;
const AGES = 5_000;

let body = null;
const rows = new Map();
let timer = null;

export function begin() {
  on("connections", later);
  byId("connections-filter").addEventListener("input", draw);
  setInterval(() => { if (!document.hidden) nextFrame(draw); }, AGES);
}

export function show() {
  draw();
}

export function escape(event) {
  if (event.target !== byId("connections-filter")) return;
  event.target.value = "";
  draw();
}

function later() {
  timer ??= setTimeout(() => {
    timer = null;
    nextFrame(draw);
  }, EVERY);
}

function draw() {
  if (byId("view-connections").hidden) return;
  const words = byId("connections-filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const names = new Map(stages().map(({ api: one, stage }) => [`${one.apiId}/${stage.stageName}`, `${one.name} / ${stage.stageName}`]));
  const fitting = [...state.connections.values()].filter((one) => {
    const text = [one.connectionId, one.apiId, one.stage, one.sourceIp, one.userAgent].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
  setText(byId("connections-tally"), told(fitting.length));
  if (state.connections.size === 0) {
    rows.clear();
    body = null;
    byId("connections-body").replaceChildren(
      el("p", { class: "empty" }, "Nobody is connected. ", el("a", { href: "#client" }, "Connect from here"), ", or open ", el("a", { href: "/chat" }, "the chat"), " in two windows."));
    return;
  }
  if (!body) {
    const whole = table("Open connections", ["Connection", "API and stage", "Since", "From", "Heard / posted", unseen("Cut")], []);
    body = whole.querySelector("tbody");
    byId("connections-body").replaceChildren(whole);
  }
  const wanted = fitting.slice(0, SHOWN);
  const ids = new Set(wanted.map((one) => one.connectionId));
  for (const [id, row] of rows) {
    if (!ids.has(id)) {
      row.element.remove();
      rows.delete(id);
    }
  }
  wanted.forEach((one, n) => {
    const row = rows.get(one.connectionId) ?? make(one);
    if (body.children[n] !== row.element) body.insertBefore(row.element, body.children[n] ?? null);
    const { received = 0, posted = 0 } = state.activity.get(one.connectionId) ?? {};
    setText(row.stage, names.get(`${one.apiId}/${one.stage}`) ?? `${one.apiId} / ${one.stage}`);
    setText(row.since, age(one.connectedAt));
    row.since.title = date(one.connectedAt);
    setText(row.from, [one.sourceIp, one.userAgent].filter(Boolean).join(" · "));
    setText(row.counts, `${received} / ${posted}`);
  });
}

function make({ connectionId }) {
  const cells = { stage: el("td", { class: "whole" }), since: el("td", { class: "whole" }), from: el("td", { class: "wide" }), counts: el("td", { class: "number" }) };
  const cut = el("button", { type: "button", class: "small danger", "aria-label": `Cut connection ${connectionId}` }, "Cut");
  cut.addEventListener("click", () => attempt(cut, () => api.cut(connectionId), () => `${connectionId} is cut.`));
  const element = el("tr", {}, el("th", { scope: "row", class: "mono whole" }, connectionId), cells.stage, cells.since, cells.from, cells.counts, el("td", {}, cut));
  const row = { element, ...cells };
  rows.set(connectionId, row);
  return row;
}

function told(fitting) {
  const open = plural(state.connectionsOpen, "open connection");
  const shown = Math.min(fitting, SHOWN);
  return shown < state.connectionsOpen ? `${open}, ${shown} shown` : open;
}
