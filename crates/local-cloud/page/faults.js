// The view of what goes wrong on purpose.

import * as api from "./api.js";
import { byId, el, setOptions, setText, table, tr, unseen } from "./dom.js";
import { date, plural } from "./format.js";
import { attempt, notice } from "./notices.js";
import { on, state } from "./state.js";

const PAUSE = 200;
let wanted = null;
let timer = null;

export function begin() {
  const form = byId("fault-form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    add();
  });
  form.addEventListener("change", fields);
  byId("faults-clear").addEventListener("click", (event) => attempt(event.target, () => api.removeFaults(), () => "All faults are removed.").then(load));
  on("overview", options);
  on("connections", () => { if (!byId("view-faults").hidden) options(); });
  on("faults-stale", () => {
    timer ??= setTimeout(() => {
      timer = null;
      load();
    }, PAUSE);
  });
  options();
}

export function show({ params }) {
  if (params.has("function")) wanted = params.get("function");
  options();
  fields();
  load();
}

const kind = () => new FormData(byId("fault-form")).get("kind");

/** Only what the kind has a use for. */
function fields() {
  const gone = kind() === "gone";
  byId("fault-function-field").hidden = gone;
  byId("fault-api-field").hidden = !gone;
  byId("fault-connection-field").hidden = !gone;
  byId("fault-delay-field").hidden = kind() !== "slow";
  setText(byId("fault-problem"), "");
}

function options() {
  const { apis = [], functions = [] } = state.overview ?? {};
  setOptions(byId("fault-function"), functions.map((one) => ({ value: one.functionName, label: one.functionName })));
  if (wanted && functions.some((one) => one.functionName === wanted)) {
    byId("fault-function").value = wanted;
    wanted = null;
  }
  setOptions(byId("fault-api"), apis.map((one) => ({ value: one.apiId, label: one.name })));
  const open = [...state.connections.keys()].slice(0, 300);
  setOptions(byId("fault-connection"), [{ value: "", label: "Every one of the API" }, ...open.map((id) => ({ value: id, label: id }))]);
}

async function add() {
  const fault = { kind: kind() };
  if (fault.kind === "gone") {
    fault.apiId = byId("fault-api").value || undefined;
    fault.connectionId = byId("fault-connection").value || undefined;
  } else {
    fault.functionName = byId("fault-function").value || undefined;
  }
  if (fault.kind === "slow") fault.delayMs = Number(byId("fault-delay").value);
  const times = byId("fault-times").value;
  if (times) fault.times = Number(times);
  try {
    await api.addFault(fault);
    setText(byId("fault-problem"), "");
    notice(`The fault is set: ${fault.kind}.`);
  } catch (error) {
    setText(byId("fault-problem"), error.message);
  }
  load();
}

async function load() {
  try {
    state.faults = (await api.faults()).faults;
  } catch { return; }
  const count = byId("nav-faults");
  count.hidden = state.faults.length === 0;
  setText(count, String(state.faults.length));
  byId("faults-clear").hidden = state.faults.length === 0;
  draw();
}

function draw() {
  if (byId("view-faults").hidden) return;
  const body = byId("faults-body");
  if (!state.faults.length) return body.replaceChildren(el("p", { class: "hint" }, "No fault is set: everything works as it does."));
  const focused = body.contains(document.activeElement) ? document.activeElement.id : null;
  body.replaceChildren(table("Faults that are set", ["Kind", "Of", "Delay", "Hits", "Left", "Since", unseen("Remove")], state.faults.map((fault) => tr(
    el("b", {}, fault.kind),
    el("span", { class: "mono" }, fault.functionName ?? fault.connectionId ?? fault.apiId ?? "everything"),
    fault.delayMs ? `${fault.delayMs} ms` : "",
    plural(fault.hits, "hit"),
    fault.remaining === null || fault.remaining === undefined ? "until removed" : String(fault.remaining),
    date(fault.createdAt),
    remove(fault)))));
  if (focused) byId(focused)?.focus();
  return undefined;
}

function remove(fault) {
  const name = `${fault.kind} of ${fault.functionName ?? fault.connectionId ?? fault.apiId ?? "everything"}`;
  const button = el("button", { type: "button", class: "small", id: `remove-${fault.id}`, "aria-label": `Remove fault ${name}` }, "Remove");
  button.addEventListener("click", () => attempt(button, () => api.removeFault(fault.id), () => `Removed: ${name}.`).then(() => {
    load();
    byId("title-faults").focus({ preventScroll: true });
  }));
  return button;
}
