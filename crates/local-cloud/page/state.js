// What the page knows: bounded, told by the feed and by what was asked. No DOM here.
//
// Views say what they want to hear of by `on`; a topic is told once a batch.

import { rowOf } from "./rows.js";

export const MOST_ROWS = 10_000;
/** Characters of texts that all rows may have: what is older goes. */
const MOST_TEXT = 48_000_000;
const MOST_INVOCATIONS = 2_000;
const MOST_LINES = 500;
const MOST_CONNECTIONS = 1_000;

const listeners = new Map();

export function on(topic, act) {
  listeners.set(topic, [...(listeners.get(topic) ?? []), act]);
}

export function tell(topic, ...what) {
  for (const act of listeners.get(topic) ?? []) act(...what);
}

export const state = {
  link: { state: "connecting", why: "" },
  version: "",
  overview: null,
  faults: [],
  /** The latest rows, oldest first; `dropped` is how many came before them. */
  rows: [],
  dropped: 0,
  text: 0,
  lastSeq: null,
  missed: 0,
  connections: new Map(),
  connectionsOpen: 0,
  /** Of invocations by their request's id: { event, request, lines }. */
  invocations: new Map(),
  /** Of routes by "apiId/stage/routeKey": { hits, failed, lastMs, lastAt }. */
  routes: new Map(),
  /** Of connections by id: { received, posted }. */
  activity: new Map(),
  failures: 0,
};

/** A log stream is one environment, which serves one invocation at a time. */
const serving = new Map();

function invocation(requestId) {
  let found = state.invocations.get(requestId);
  if (!found) {
    found = { requestId, event: null, request: null, lines: [] };
    state.invocations.set(requestId, found);
    if (state.invocations.size > MOST_INVOCATIONS) state.invocations.delete(state.invocations.keys().next().value);
  }
  return found;
}

function addRow(event) {
  const row = rowOf(event);
  row.size = (event.body?.length ?? 0) + (event.event?.length ?? 0) + (event.response?.length ?? 0) + (event.message?.length ?? 0) + 400;
  state.text += row.size;
  state.rows.push(row);
  if (row.failed) state.failures += 1;
}

/** Lets go of the oldest; gives how many. */
function trim() {
  let count = 0;
  while (state.rows.length - count > MOST_ROWS || (state.text > MOST_TEXT && count < state.rows.length)) {
    state.text -= state.rows[count].size;
    state.rows[count].gone = true;
    count += 1;
  }
  if (count) state.rows.splice(0, count);
  state.dropped += count;
  return count;
}

const heard = {
  listening(event, topics) {
    state.version = event.version;
    if (state.lastSeq !== null) {
      // Another cloud, or one that began anew, counts from the beginning.
      const count = event.seq - state.lastSeq;
      if (count > 0) {
        state.missed += count;
        addRow({ kind: "missed", at: event.at, count, why: "this page was not connected" });
      }
    }
    state.connections = new Map(event.connections.map((one) => [one.connectionId, one]));
    state.connectionsOpen = event.connectionsOpen;
    topics.add("connections").add("listening");
  },
  missed(event, topics) {
    state.missed += event.count;
    addRow({ at: Date.now(), ...event });
    topics.add("connections").add("stale");
  },
  request(event, topics) {
    addRow(event);
    const { connectionId } = event;
    const key = `${event.apiId}/${event.stage}/${event.routeKey}`;
    const route = state.routes.get(key) ?? { hits: 0, failed: 0, lastMs: null, lastAt: 0 };
    route.hits += 1;
    if (event.status >= 400 || event.error) route.failed += 1;
    route.lastMs = event.durationMs ?? route.lastMs;
    route.lastAt = event.at;
    state.routes.set(key, route);
    topics.add("routes");
    if (event.integration?.requestId) {
      invocation(event.integration.requestId).request = event;
      topics.add("invocation");
    }
    if (event.eventType === "CONNECT") {
      if (event.status < 400 && !event.error && !state.connections.has(connectionId)) {
        state.connectionsOpen += 1;
        if (state.connections.size < MOST_CONNECTIONS) {
          state.connections.set(connectionId, { connectionId, apiId: event.apiId, stage: event.stage, connectedAt: event.at });
        }
      }
      topics.add("connections").add("stale");
    } else if (event.eventType === "DISCONNECT") {
      if (state.connections.delete(connectionId) || state.connectionsOpen > state.connections.size) state.connectionsOpen -= 1;
      state.activity.delete(connectionId);
      topics.add("connections").add("stale");
    } else if (state.connections.has(connectionId)) {
      active(connectionId).received += 1;
      topics.add("connections");
    }
  },
  invocation(event, topics) {
    const known = invocation(event.requestId);
    if (known.event) return;
    known.event = event;
    addRow(event);
    topics.add("invocation");
  },
  management(event, topics) {
    addRow(event);
    if (event.method === "POST" && event.status < 300 && state.connections.has(event.connectionId)) {
      active(event.connectionId).posted += 1;
      topics.add("connections");
    }
  },
  log(event, topics) {
    addRow(event);
    const message = event.message ?? "";
    const stream = `${event.logGroup} ${event.logStream}`;
    const [, word, id] = /^(START|END|REPORT) RequestId: ([\w-]+)/.exec(message) ?? [];
    if (word === "START") serving.set(stream, id);
    const of = id ?? serving.get(stream) ?? /"requestId":"([\w-]+)"/.exec(message)?.[1];
    if (of) {
      const { lines } = invocation(of);
      if (lines.length < MOST_LINES) lines.push(event);
      topics.add("invocation");
    }
    if (word === "REPORT") serving.delete(stream);
  },
  fault(event, topics) {
    addRow(event);
    topics.add("faults-stale");
  },
  faults(event, topics) {
    topics.add("faults-stale");
  },
};

function active(connectionId) {
  let counts = state.activity.get(connectionId);
  if (!counts) {
    counts = { received: 0, posted: 0 };
    state.activity.set(connectionId, counts);
  }
  return counts;
}

/** Takes a batch of the feed, and tells of what changed. */
export function take(batch) {
  const topics = new Set();
  for (const event of batch) {
    heard[event.kind]?.(event, topics);
    if (event.seq !== undefined) state.lastSeq = event.seq;
  }
  const dropped = trim();
  tell("rows", dropped);
  for (const topic of topics) tell(topic);
}

/** What was before the page came: older than all rows, unless it has been heard of already. */
export function takePast(invocations) {
  const fresh = invocations.filter((event) => !state.invocations.get(event.requestId)?.event);
  const rows = state.rows;
  state.rows = [];
  for (const event of fresh) {
    const one = { ...event, kind: "invocation" };
    invocation(event.requestId).event = one;
    addRow(one);
  }
  state.rows = state.rows.concat(rows);
  trim();
  tell("past");
  tell("invocation");
}

/** Forgets all rows; what is known of invocations stays. */
export function clearRows() {
  state.dropped += state.rows.length;
  for (const row of state.rows) row.gone = true;
  state.rows = [];
  state.text = 0;
  state.failures = 0;
  tell("past");
}

/** What was asked of the cloud; the list of connections in it is complete up to its limit. */
export function takeOverview(overview) {
  state.overview = overview;
  if (overview.connections) {
    state.connections = new Map(overview.connections.map((one) => [one.connectionId, one]));
    state.connectionsOpen = overview.connectionsOpen ?? state.connections.size;
  }
  tell("overview");
  tell("connections");
}

/** Every stage of every API, as { api, stage }. */
export function stages() {
  return (state.overview?.apis ?? []).flatMap((api) => (api.stages ?? []).map((stage) => ({ api, stage })));
}
