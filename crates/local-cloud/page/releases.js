// The view of an API's deployments, and what differs between two of them.

import * as api from "./api.js";
import { byId, el, setOptions, table, tr } from "./dom.js";
import { date } from "./format.js";
import { difference, isEmpty } from "./difference.js";
import { on, state } from "./state.js";

let deployments = [];
let of = null;
let asked = 0;
/** The live deployments, as the overview tells: if they change, there are others. */
let live = "";
/** Chosen by hand: it stays when others come. */
let chosen = { from: null, to: null };

export function begin() {
  on("overview", () => {
    if (byId("view-releases").hidden) return;
    const now = JSON.stringify((state.overview?.apis ?? []).map((one) => [one.apiId, (one.stages ?? []).map((stage) => stage.deploymentId)]));
    if (now !== live) {
      live = now;
      load();
    }
  });
  byId("releases-api").addEventListener("change", () => {
    chosen = { from: null, to: null };
    load();
  });
  for (const end of ["from", "to"]) {
    byId(`releases-${end}`).addEventListener("change", (event) => {
      chosen[end] = event.target.value;
      draw();
    });
  }
}

export function show() {
  load();
}

async function load() {
  const apis = state.overview?.apis ?? [];
  setOptions(byId("releases-api"), apis.map((one) => ({ value: one.apiId, label: one.name })));
  const apiId = byId("releases-api").value;
  const body = byId("releases-body");
  if (!apiId) {
    deployments = [];
    for (const end of ["from", "to"]) setOptions(byId(`releases-${end}`), []);
    body.replaceChildren(el("p", { class: "empty" }, state.overview ? "Nothing is deployed." : "Not known yet."));
    return;
  }
  asked += 1;
  const mine = asked;
  try {
    const answer = await api.deployments(apiId);
    if (mine !== asked) return;
    deployments = answer.deployments;
  } catch (error) {
    if (mine === asked) body.replaceChildren(el("p", { class: "empty" }, error.message));
    return;
  }
  if (of !== apiId) chosen = { from: null, to: null };
  of = apiId;
  draw();
}

function draw() {
  const options = deployments.map((one) => ({ value: one.deploymentId, label: `${label(one)}${one.liveOn?.length ? " (live)" : ""}` }));
  const at = Math.max(0, deployments.findIndex((one) => one.liveOn?.length));
  const there = (id) => (deployments.some((one) => one.deploymentId === id) ? id : null);
  setOptions(byId("releases-to"), options, there(chosen.to) ?? deployments[at]?.deploymentId);
  setOptions(byId("releases-from"), options, there(chosen.from) ?? (deployments[at + 1] ?? deployments[at])?.deploymentId);
  const find = (end) => deployments.find((one) => one.deploymentId === byId(`releases-${end}`).value);
  byId("releases-body").replaceChildren(...(deployments.length ? [ofTwo(find("from"), find("to")), ofAll()] : [el("p", { class: "empty" }, "There is no deployment.")]));
}

function label(one) {
  return one.release ? one.release.slice(0, 16) : one.deploymentId;
}

function ofTwo(from, to) {
  const found = difference(from, to);
  const parts = [el("h3", { id: "difference-title" }, `From ${label(from)} to ${label(to)}`)];
  if (from === to) parts.push(el("p", { class: "hint" }, "That is one and the same. Choose another one to compare with."));
  else if (isEmpty(found)) parts.push(el("p", { class: "hint" }, "No difference in routes or functions."));
  else parts.push(...ofPart("Routes", found.routes), ...ofPart("Functions", found.functions));
  return el("section", { class: "panel", id: "difference", "aria-labelledby": "difference-title" }, ...parts);
}

function ofPart(title, { added, removed, changed }) {
  if (!added.length && !removed.length && !changed.length) return [];
  const rows = [
    ...added.map((name) => row("added", "+", name, "")),
    ...removed.map((name) => row("removed", "−", name, "")),
    ...changed.map(({ name, changes }) => row("changed", "~", name, el("ul", { class: "changes" }, ...changes.map(({ what, from, to }) =>
      el("li", {}, `${what}: `, el("del", {}, short(from)), " → ", el("ins", {}, short(to))))))),
  ];
  return [el("h4", {}, title), table(`Difference: ${title}`, ["How", "Name", "What"], rows)];
}

function row(kind, sign, name, what) {
  return el("tr", { class: `diff ${kind}` },
    el("td", {}, el("span", { class: "sign", "aria-hidden": "true" }, sign), " ", kind),
    el("th", { scope: "row", class: "mono" }, name),
    el("td", {}, what));
}

/** A digest is known by its beginning. */
const short = (value) => (value.length > 40 ? `${value.slice(0, 12)}…` : value);

function ofAll() {
  return el("section", { class: "panel" }, el("h3", {}, "Deployments, newest first"),
    table("Deployments", ["Deployment", "Release", "Created", "Live on", "Routes", "Description"], deployments.map((one) => tr(
      el("span", { class: "mono" }, one.deploymentId),
      el("span", { class: "mono" }, one.release ? one.release.slice(0, 16) : ""),
      date(one.createdAt),
      one.liveOn?.length ? el("span", { class: "badge ok" }, one.liveOn.join(", ")) : "",
      String(one.routes?.length ?? 0),
      one.description ?? ""))));
}
