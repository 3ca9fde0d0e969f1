// A WebSocket client to try routes with.

import { byId, el, setOptions, setText } from "./dom.js";
import { clock, coloured, pretty } from "./format.js";
import { on, stages } from "./state.js";

const KEPT = 300;
const TOO_LONG = 20_000;

let socket = null;
/** Whose URL stands in the field; what was typed stays. */
let filled = "";
let wanted = null;

export function begin() {
  byId("client-stage").addEventListener("change", fill);
  byId("client-url").addEventListener("input", () => { filled = null; });
  byId("client-route").addEventListener("change", compose);
  byId("client-connect").addEventListener("submit", (event) => {
    event.preventDefault();
    if (socket) socket.close(1000);
    else open();
  });
  byId("client-send").addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  byId("client-message").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      send();
    }
  });
  on("overview", options);
}

export function show({ params }) {
  if (params.has("url") || params.has("route")) wanted = { url: params.get("url"), route: params.get("route") };
  options();
}

const chosen = () => stages().find(({ stage }) => stage.url === byId("client-stage").value);

function options() {
  const all = stages();
  const first = byId("client-stage").options.length <= 1 && filled !== null;
  setOptions(byId("client-stage"), [
    ...all.map(({ api, stage }) => ({ value: stage.url, label: `${api.name} / ${stage.stageName}` })),
    { value: "", label: "Another one, by its URL" },
  ]);
  if (first && all.length) byId("client-stage").value = all[0].stage.url;
  if (wanted?.url && all.some(({ stage }) => stage.url === wanted.url)) byId("client-stage").value = wanted.url;
  // What is on screen came over https: browsers let such a page use wss only.
  const url = location.protocol === "https:" ? chosen()?.stage.secureUrl : chosen()?.stage.url;
  if (url && filled !== null && (byId("client-url").value === filled || wanted?.url)) {
    filled = url;
    byId("client-url").value = url;
  }
  routes();
}

/** Another stage was chosen: its URL, or a field for one. */
function fill() {
  filled = "";
  byId("client-url").value = "";
  options();
  if (!byId("client-stage").value) byId("client-url").focus();
}

function routes() {
  const keys = (chosen()?.stage.routes ?? []).map((route) => route.routeKey).filter((key) => key !== "$connect" && key !== "$disconnect");
  const before = byId("client-route").value;
  setOptions(byId("client-route"), [{ value: "", label: "None: any text" }, ...keys.map((key) => ({ value: key, label: key }))]);
  if (wanted?.route && keys.includes(wanted.route)) {
    byId("client-route").value = wanted.route;
    wanted = null;
  }
  if (byId("client-route").value !== before) compose();
}

/** A message that chooses this route. Fields of the shipped chat are there to be filled in. */
function compose() {
  const route = byId("client-route").value;
  if (!route) return;
  const expression = chosen()?.api.routeSelectionExpression ?? "$request.body.action";
  const path = /^\$\{?request\.body\.([\w.]+)\}?$/.exec(expression)?.[1]?.split(".") ?? ["action"];
  const message = {};
  let at = message;
  path.forEach((name, n) => {
    at[name] = n === path.length - 1 ? (route === "$default" ? "anything" : route) : {};
    at = at[name];
  });
  if (["join", "leave", "who", "send", "history"].includes(route)) message.room = "room1";
  if (route === "send") message.msg = "hello";
  if (route === "history") message.last = 10;
  byId("client-message").value = JSON.stringify(message);
}

function open() {
  const url = byId("client-url").value.trim();
  const protocol = byId("client-protocol").value.trim();
  try {
    socket = protocol ? new WebSocket(url, protocol.split(/[\s,]+/)) : new WebSocket(url);
  } catch (error) {
    log("problem", error.message);
    return;
  }
  const mine = socket;
  let was = false;
  status("Connecting");
  mine.addEventListener("open", () => {
    was = true;
    status("Connected");
    log("note", `Connected to ${url}${mine.protocol ? `, subprotocol ${mine.protocol}` : ""}`);
  });
  mine.addEventListener("message", ({ data }) => log("in", typeof data === "string" ? data : "(binary)"));
  mine.addEventListener("close", ({ code, reason }) => {
    log(was ? "note" : "problem", was ? `Closed: ${code} ${reason}`.trim() : "The handshake was refused, or nobody is there: the traffic tells more.");
    if (socket === mine) socket = null;
    status("Not connected");
  });
}

function status(text) {
  setText(byId("client-state"), text);
  setText(byId("client-open"), socket ? "Disconnect" : "Connect");
  byId("client-go").disabled = socket?.readyState !== WebSocket.OPEN;
}

function send() {
  if (socket?.readyState !== WebSocket.OPEN) return;
  const text = byId("client-message").value;
  socket.send(text);
  log("out", text);
}

const SIGNS = { in: "←", out: "→", note: "·", problem: "!" };
const WORDS = { in: "heard", out: "sent", note: "note", problem: "problem" };

function log(kind, text) {
  const list = byId("client-log");
  const body = el("pre");
  if (text.length > TOO_LONG) body.textContent = `${text.slice(0, TOO_LONG)}…`;
  else body.append(...(kind === "in" || kind === "out" ? coloured(pretty(text)) : [text]));
  list.append(el("div", { class: `line ${kind}` },
    el("span", { class: "j-time" }, clock(Date.now())),
    el("span", { class: "sign", "aria-hidden": "true" }, SIGNS[kind]), el("span", { class: "sr" }, WORDS[kind]), body));
  while (list.children.length > KEPT) list.firstChild.remove();
  list.scrollTop = list.scrollHeight;
}
