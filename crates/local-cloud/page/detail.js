// What is known of one event, beside the traffic: of an invocation its event, response,
// duration, logs, and what can be done with it.

import * as api from "./api.js";
import { byId, copyButton, el } from "./dom.js";
import { bytes, clock, coloured, duration, moment, pretty } from "./format.js";
import { nextFrame } from "./frames.js";
import { attempt } from "./notices.js";
import { on, state } from "./state.js";

let now = null;

for (const topic of ["invocation", "past", "link"]) on(topic, () => { if (now) nextFrame(draw); });

export function showDetail(name, id, close) {
  now = { name, id, close, drawn: "" };
  draw();
}

export function hideDetail() {
  now = null;
  byId("detail").hidden = true;
}

function draw() {
  if (!now) return;
  const pane = byId("detail");
  pane.hidden = false;
  const known = now.name === "invocation" ? state.invocations.get(now.id) : null;
  const event = known?.event ?? known?.request ?? (now.name === "event" ? eventOf(Number(now.id)) : null);
  // Drawn again only if more is known: who reads or has the focus there isn't disturbed.
  const drawn = `${now.name}/${now.id} ${event?.seq ?? event?.at} ${Boolean(known?.event)} ${Boolean(known?.request)} ${known?.lines.length}`;
  if (drawn === now.drawn) return;
  const focused = pane.contains(document.activeElement) ? document.activeElement.id : null;
  now.drawn = drawn;
  pane.replaceChildren(...(event ? (now.name === "invocation" ? ofInvocation(known) : ofEvent(event)) : unknown()));
  if (focused) byId(focused)?.focus({ preventScroll: true });
}

/** From the newest on: what is opened is mostly new. */
function eventOf(seq) {
  for (let n = state.rows.length - 1; n >= 0; n -= 1) if (state.rows[n].event.seq === seq) return state.rows[n].event;
  return null;
}

function head(title) {
  const close = el("button", { type: "button", class: "small", id: "detail-close", "aria-label": "Close details", on: { click: now.close } }, "Close");
  return el("div", { class: "detail-head" }, el("h3", { id: "detail-title", tabindex: "-1" }, title), close);
}

function unknown() {
  const running = now.name === "invocation" && state.link.state === "open";
  return [
    head(now.name === "invocation" ? "Invocation" : "Event"),
    el("p", { class: "hint" }, running ? "Nothing is known of it: it runs still, or the page holds it no more." : "The page holds it no more."),
  ];
}

function facts(pairs) {
  const list = el("dl", { class: "pairs" });
  for (const [name, value] of pairs) {
    if (value === null || value === undefined || value === "") continue;
    list.append(el("dt", {}, name), el("dd", {}, value));
  }
  return list;
}

/** A text that was sent or answered, laid out if it is JSON. */
function text(title, id, value, size) {
  const parts = [el("div", { class: "bar plain" }, el("h4", { id }, title), size === undefined ? null : el("span", { class: "tally" }, bytes(size)))];
  if (value === undefined) {
    parts.push(el("p", { class: "hint" }, "It is too long to be told of."));
  } else if (value === "") {
    parts.push(el("p", { class: "hint" }, "Empty."));
  } else {
    const laidOut = pretty(value);
    parts[0].append(copyButton(title.toLowerCase(), () => value));
    parts.push(el("pre", { "aria-labelledby": id }, ...coloured(laidOut)));
  }
  return el("section", { "aria-labelledby": id }, ...parts);
}

function requestFacts(request) {
  return [
    ["Route", request.routeKey],
    ["Connection", request.connectionId],
    ["API and stage", `${request.apiId} / ${request.stage}`],
    ["Client was told", request.error],
    ["Closed with", request.closeCode === undefined ? null : `${request.closeCode} ${request.closeReason ?? ""}`],
  ];
}

function ofInvocation({ requestId, event, request, lines }) {
  const name = event?.functionName ?? request?.integration?.functionName;
  const version = event?.version ?? request?.integration?.version;
  const status = event?.status ?? request?.integration?.status ?? "";
  const ok = event ? event.status === "ok" : !request?.error;
  const again = el("button", { type: "button", class: "main", id: "resend" }, "Send again");
  again.addEventListener("click", async () => {
    const sent = await attempt(again, () => api.resend(requestId), () => "Sent again: this is the new invocation.");
    if (sent?.requestId) location.hash = `#invocation/${encodeURIComponent(sent.requestId)}`;
  });
  const from = event?.resentFrom;
  return [
    head(version ? `${name}:${version}` : name ?? "Invocation"),
    el("p", { class: "badges" },
      el("span", { class: ok ? "badge ok" : "badge bad" }, String(status)),
      event ? el("span", { class: "badge" }, duration(event.durationMs)) : null,
      event ? el("span", { class: event.cold ? "badge cold" : "badge" }, event.cold ? `cold, start ${duration(event.initMs) || "unknown"}` : "warm") : null),
    el("div", { class: "actions" }, again,
      name ? el("a", { class: "button", href: `#faults?function=${encodeURIComponent(name)}` }, "Inject a fault…") : null),
    facts([
      ["Request id", requestId],
      ["At", moment((event ?? request).at)],
      ["Memory", event ? `${event.usedMb} of ${event.memoryMb} MB` : null],
      ["Sent again from", from ? el("a", { href: `#invocation/${encodeURIComponent(from)}` }, from) : null],
      ...(request ? requestFacts(request) : []),
    ]),
    request?.integration?.error ? text("Integration error", "d-error", request.integration.error) : null,
    event ? text("Event", "d-event", event.event, event.eventBytes) : text("Body", "d-body", request.body, request.bodyBytes),
    event ? text("Response", "d-response", event.response, event.responseBytes) : null,
    logs(lines),
  ].filter(Boolean);
}

function logs(lines) {
  const body = lines.length
    ? el("pre", { "aria-labelledby": "d-logs" }, ...lines.flatMap((line) => [el("span", { class: "j-time" }, `${clock(line.at)} `), `${(line.message ?? "").trimEnd()}\n`]))
    : el("p", { class: "hint" }, "None since this page was opened. ", el("code", {}, "deployer logs STAGE"), " has what came before.");
  return el("section", { "aria-labelledby": "d-logs" }, el("div", { class: "bar plain" }, el("h4", { id: "d-logs" }, "Logs")), body);
}

/** An invocation that was refused isn't known. */
function linked({ kind, requestId }) {
  if (kind !== "fault" || !state.invocations.has(requestId)) return requestId;
  return el("a", { href: `#invocation/${encodeURIComponent(requestId)}` }, requestId);
}

const TITLES = { request: "Request", management: "Call to @connections", log: "Line of a log", fault: "Fault", missed: "Missed" };

function ofEvent(event) {
  const own = event.kind === "request"
    ? [["Status", String(event.status ?? "")], ...requestFacts(event)]
    : [
        ["Method", event.method],
        ["Status", event.status === undefined ? null : String(event.status)],
        ["Fault", event.fault],
        ["Hits so far", event.hits === undefined ? null : String(event.hits)],
        ["Left", event.hits === undefined ? null : String(event.remaining ?? "until it is removed")],
        ["Function", event.functionName],
        ["Connection", event.connectionId],
        ["Log group", event.logGroup],
        ["Log stream", event.logStream],
      ];
  return [
    head(TITLES[event.kind] ?? event.kind),
    facts([["At", moment(event.at)], ...own, ["Request id", linked(event)]]),
    event.bodyBytes === undefined ? null : text("Body", "d-body", event.body, event.bodyBytes),
    event.messageBytes === undefined ? null : text("Message", "d-message", event.message, event.messageBytes),
  ].filter(Boolean);
}
