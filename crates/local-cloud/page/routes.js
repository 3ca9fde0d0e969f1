// The view of what is live: APIs, their stages' routes with what they lead to and how often
// they were hit, and functions.

import { byId, copyButton, el, setText, table, tr, unseen } from "./dom.js";
import { date, duration } from "./format.js";
import { nextFrame } from "./frames.js";
import { on, state } from "./state.js";

/** What was drawn of the overview: it is drawn anew only if that changes. */
let drawn = "";
const counters = new Map();

export function begin() {
  on("overview", draw);
  on("routes", () => nextFrame(count));
}

export function show() {
  draw();
}

function draw() {
  if (byId("view-routes").hidden) return;
  const { apis = [], functions = [] } = state.overview ?? {};
  const now = JSON.stringify([apis, functions, state.overview === null]);
  if (now === drawn) return count();
  drawn = now;
  counters.clear();
  const body = byId("routes-body");
  if (state.overview === null) return body.replaceChildren(el("p", { class: "empty" }, "Not known yet."));
  if (!apis.length) body.replaceChildren(el("p", { class: "empty" }, "Nothing is deployed. ", el("code", {}, "deployer up local"), " deploys."));
  else body.replaceChildren(...apis.map(ofApi));
  if (functions.length) body.append(ofFunctions(functions));
  return count();
}

function ofApi(api) {
  const parts = [el("h3", {}, api.name, " ", el("span", { class: "mono quiet" }, api.apiId))];
  if (!api.stages?.length) parts.push(el("p", { class: "hint" }, "It has no stage."));
  for (const stage of api.stages ?? []) parts.push(ofStage(api, stage));
  return el("section", { class: "panel" }, ...parts);
}

function ofStage(api, stage) {
  const url = (label, value) => value && el("p", { class: "url" }, el("code", {}, value), copyButton(`${label} of stage ${stage.stageName}`, () => value));
  const rows = (stage.routes ?? []).map((route) => {
    const key = `${api.apiId}/${stage.stageName}/${route.routeKey}`;
    const cells = { hits: el("span"), failed: el("span"), last: el("span") };
    counters.set(key, cells);
    const params = new URLSearchParams({ url: stage.url, route: route.routeKey });
    const special = route.routeKey === "$connect" || route.routeKey === "$disconnect";
    return tr(
      el("code", {}, route.routeKey),
      route.function ? `${route.function}${route.qualifier ? `:${route.qualifier}` : ""}` : route.target ?? "",
      (route.authorization ?? "NONE") === "NONE" ? "none" : route.authorization,
      cells.hits, cells.failed, cells.last,
      special ? "" : el("a", { href: `#client?${params}`, "aria-label": `Try route ${route.routeKey} of stage ${stage.stageName}` }, "Try"));
  });
  return el("div", { class: "stage" },
    el("h4", {}, `Stage ${stage.stageName} `, stage.release ? el("span", { class: "badge" }, `release ${stage.release.slice(0, 16)}`) : null),
    url("URL", stage.url),
    url("secure URL", stage.secureUrl),
    el("p", { class: "hint" }, `Deployment ${stage.deploymentId ?? "none"}${stage.updatedAt ? `, changed ${date(stage.updatedAt)}` : ""}${stage.autoDeploy ? ", deploys by itself" : ""}. A message's route is chosen by ${api.routeSelectionExpression}.`),
    table(`Routes of stage ${stage.stageName} of ${api.name}`, ["Route", "Leads to", "Authorization", "Hits", "Failed", "Last took", unseen("Try")], rows));
}

function ofFunctions(functions) {
  return el("section", { class: "panel" },
    el("h3", {}, "Functions"),
    table("Functions", ["Function", "Versions", "Aliases", "Memory", "Timeout", "Variables"], functions.map((one) => tr(
      el("span", { class: "mono" }, one.functionName),
      (one.versions ?? []).join(", "),
      (one.aliases ?? []).map((alias) => (typeof alias === "string" ? alias : `${alias.name} → ${alias.version ?? alias.functionVersion ?? ""}`)).join(", "),
      `${one.memoryMb} MB`,
      `${one.timeoutS} s`,
      (one.environmentNames ?? []).join(", ")))));
}

function count() {
  if (byId("view-routes").hidden) return;
  for (const [key, cells] of counters) {
    const { hits = 0, failed = 0, lastMs = null } = state.routes.get(key) ?? {};
    setText(cells.hits, hits.toLocaleString("en"));
    setText(cells.failed, failed ? failed.toLocaleString("en") : "0");
    cells.failed.className = failed ? "bad-text" : "";
    setText(cells.last, duration(lastMs));
  }
}
