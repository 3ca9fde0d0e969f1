// Events of the feed as rows of the traffic. No DOM here.

import { clock, duration } from "./format.js";

const SNIPPET = 240;
const EVENT_TYPES = { CONNECT: "connect", MESSAGE: "message", DISCONNECT: "disconnect" };

const snippet = (text) => (text ?? "").slice(0, SNIPPET).replace(/\s+/g, " ").trim();
const functionOf = (name, version) => (name ? (version ? `${name}:${version}` : name) : "");

/** A row: what is shown of the event, and the event. `id` is how its details are linked to. */
export function rowOf(event) {
  return { event, time: clock(event.at), ...(TELLERS[event.kind] ?? unknown)(event) };
}

const TELLERS = {
  request(event) {
    const call = event.integration;
    const failed = event.status >= 400 || Boolean(event.error) || Boolean(call?.error);
    const closed = event.closeCode === undefined ? "" : `${event.closeCode} ${event.closeReason ?? ""}`;
    return {
      kind: EVENT_TYPES[event.eventType] ?? "request",
      what: `${event.routeKey ?? "no route"}  ${snippet(event.body ?? closed)}`.trim(),
      who: functionOf(call?.functionName, call?.version) || event.connectionId || "",
      status: `${event.status ?? ""}${event.error ? ` ${event.error}` : ""}`.trim(),
      took: duration(event.durationMs),
      failed,
      id: call?.requestId ? `invocation/${encodeURIComponent(call.requestId)}` : null,
    };
  },
  invocation(event) {
    return {
      kind: "invoke",
      what: `${event.resentFrom ? "sent again  " : ""}${event.cold ? "cold  " : ""}${snippet(event.response)}`,
      who: functionOf(event.functionName, event.version),
      status: event.status ?? "",
      took: duration(event.durationMs),
      failed: event.status !== "ok",
      id: `invocation/${encodeURIComponent(event.requestId)}`,
    };
  },
  management(event) {
    return {
      kind: (event.method ?? "post").toLowerCase(),
      what: snippet(event.body),
      who: event.connectionId ?? "",
      status: String(event.status ?? ""),
      took: "",
      failed: event.status >= 400,
      id: null,
    };
  },
  log(event) {
    return {
      kind: "log",
      what: snippet(event.message),
      who: (event.logGroup ?? "").replace("/aws/lambda/", ""),
      status: "",
      took: "",
      failed: false,
      id: null,
    };
  },
  fault(event) {
    const { fault } = event;
    return {
      kind: "fault",
      what: fault ? `${fault} strikes` : "A fault strikes",
      who: event.functionName ?? event.connectionId ?? event.apiId ?? "",
      status: fault ?? "",
      took: "",
      failed: true,
      id: null,
    };
  },
  missed(event) {
    return {
      kind: "missed",
      what: `${event.count} events were missed: ${event.why ?? "this page was too slow"}`,
      who: "",
      status: "",
      took: "",
      failed: true,
      id: null,
    };
  },
};

function unknown(event) {
  return { kind: event.kind, what: "", who: "", status: "", took: "", failed: false, id: null };
}

const TEXTS = ["body", "event", "response", "message", "error", "connectionId", "requestId", "messageId", "apiId", "stage", "logStream"];

/** What a row must be like to be shown: its kind, whether it failed, and all of the words in any of its texts. */
export function filterOf({ kinds, failedOnly, words }) {
  const patterns = words.trim().split(/\s+/).filter(Boolean)
    .map((word) => new RegExp(word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i"));
  return (row) => {
    const { event } = row;
    if (!kinds.has(event.kind) && event.kind !== "missed") return false;
    if (failedOnly && !row.failed) return false;
    return patterns.every((pattern) =>
      pattern.test(row.kind) || pattern.test(row.what) || pattern.test(row.who) || pattern.test(row.status)
      || TEXTS.some((name) => typeof event[name] === "string" && pattern.test(event[name]))
      || (event.integration?.requestId !== undefined && pattern.test(String(event.integration.requestId))));
  };
}
