// The feed, what is asked beside it, and which view is shown. Views are sections of
// index.html; each module here fills one. The hash says which, and of what:
// #traffic, #invocation/ID, #event/SEQ, #connections, #routes, #releases, #client, #faults.

import * as api from "./api.js";
import * as client from "./client.js";
import * as connections from "./connections.js";
import { byId, setText } from "./dom.js";
import * as faults from "./faults.js";
import { listen } from "./feed.js";
import { plural } from "./format.js";
import * as releases from "./releases.js";
import * as routes from "./routes.js";
import { on, state, take, takeOverview, takePast, tell } from "./state.js";
import * as traffic from "./traffic.js";

const VIEWS = { traffic, connections, routes, releases, client, faults };
const TITLES = { traffic: "Traffic", connections: "Connections", routes: "Routes", releases: "Releases", client: "Client", faults: "Faults" };
/** Hashes that belong to another view. */
const WITHIN = { invocation: "traffic", event: "traffic" };
const OVERVIEW_PAUSE = 400;
const OVERVIEW_EVERY = 10_000;

let current = null;

/** "#client?route=join" and "#invocation/ID" as their parts. */
function place() {
  const [path, query = ""] = location.hash.slice(1).split("?");
  const [name, ...rest] = path.split("/");
  return { name: name || "traffic", id: decodeURIComponent(rest.join("/")), params: new URLSearchParams(query) };
}

function show(event) {
  // The skip link's target is no view.
  if (location.hash === "#main") return byId("main").focus();
  const { name, id, params } = place();
  const view = WITHIN[name] ?? (VIEWS[name] ? name : "traffic");
  const moved = view !== current;
  current = view;
  for (const other of Object.keys(VIEWS)) byId(`view-${other}`).hidden = other !== view;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${TITLES[view]} · Local cloud`;
  VIEWS[view].show({ name, id, params });
  // Who follows a link is led to what it leads to; a page that opens keeps its focus.
  if (event && moved) {
    byId(`title-${view}`).focus({ preventScroll: true });
    refresh();
  }
}

function link(linkState, why = "") {
  state.link = { state: linkState, why };
  byId("link").dataset.state = linkState;
  const words = { open: "Connected", connecting: "Connecting", closed: "Disconnected" };
  // "Connecting" between two attempts would only be noise.
  if (linkState === "connecting" && byId("link-text").textContent !== "Connecting") return;
  setText(byId("link-text"), why ? `${words[linkState]}: ${why}` : words[linkState]);
  tell("link");
}

let asking = null;
let again = false;

/** Asks for the overview, but not twice at once. */
async function refresh() {
  if (asking) {
    again = true;
    return;
  }
  asking = api.overview();
  try {
    takeOverview(await asking);
  } catch { /* the feed says whether the cloud is there */ }
  asking = null;
  if (again) {
    again = false;
    later();
  }
}

let timer = null;
function later() {
  timer ??= setTimeout(() => {
    timer = null;
    refresh();
  }, OVERVIEW_PAUSE);
}

function header() {
  const { overview } = state;
  const parts = [];
  if (overview) parts.push(overview.region, overview.consistent === false ? "as under load" : null);
  if (state.version) parts.push(`v${state.version}`);
  if (state.missed) parts.push(`${plural(state.missed, "event")} missed`);
  setText(byId("facts"), parts.filter(Boolean).join(" · "));
  const count = byId("nav-connections");
  count.hidden = state.connectionsOpen === 0;
  setText(count, state.connectionsOpen.toLocaleString("en"));
}

function keys(event) {
  const typing = event.target.closest?.("input, textarea, select");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    const field = document.querySelector(`#view-${current} input[type=search]`);
    if (field) {
      event.preventDefault();
      field.focus();
    }
  }
  if (event.key === "Escape") VIEWS[current].escape?.(event);
}

for (const view of Object.values(VIEWS)) view.begin();
window.addEventListener("hashchange", show);
document.addEventListener("keydown", keys);
for (const topic of ["overview", "connections", "listening", "stale"]) on(topic, header);
on("stale", later);
on("listening", async () => {
  refresh();
  tell("faults-stale");
  try {
    takePast((await api.invocations()).invocations);
  } catch { /* an older cloud keeps none */ }
});
show();
// For who measures how long that took: benches/page.
performance.mark("shown");
listen({ onEvents: take, onState: link });
// What is deployed meanwhile has no event.
setInterval(() => { if (!document.hidden && state.link.state === "open") refresh(); }, OVERVIEW_EVERY);
