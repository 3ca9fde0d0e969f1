// What a person clicks, on the real local cloud.

import assert from "node:assert/strict";
import { until } from "./check.mjs";
import { SECRET } from "./stage.mjs";

export const VIEWS = ["traffic", "connections", "routes", "releases", "client", "faults"];
const ROOM = "chat-local-room";

const text = (page, selector) => page.locator(selector).textContent();

async function go(page, view) {
  await page.locator(`nav a[href="#${view}"]`).click();
  await page.locator(`#view-${view}`).waitFor();
}

/** Sends a message by the client, which must be connected. */
async function say(page, message) {
  await go(page, "client");
  await page.locator("#client-message").fill(JSON.stringify(message));
  await page.locator("#client-go").click();
}

async function connect(page) {
  await go(page, "client");
  await until(() => page.locator("#client-url").inputValue(), "the stage's URL");
  await page.locator("#client-open").click();
  await until(async () => (await text(page, "#client-state")) === "Connected", "the client's connection");
}

async function hears(page, words) {
  await page.locator("#client-log .line.in", { hasText: words }).last().waitFor();
}

/** The newest row of the traffic that has all these words. */
function row(page, ...words) {
  return words.reduce((rows, hasText) => rows.filter({ hasText }), page.locator("#space .row:not([hidden])")).last();
}

async function setFault(page, kind, { delay, times, connection } = {}) {
  await go(page, "faults");
  await page.locator(`#fault-form input[value=${kind}]`).check();
  if (kind !== "gone") await page.locator("#fault-function").selectOption(ROOM);
  if (connection) await page.locator("#fault-connection").selectOption({ index: 1 });
  if (delay) await page.locator("#fault-delay").fill(String(delay));
  await page.locator("#fault-times").fill(times ? String(times) : "");
  await page.getByRole("button", { name: "Add fault" }).click();
  await page.locator("#faults-body tbody tr", { hasText: kind }).waitFor();
}

export async function views(checks, browser, stage) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const asked = [];
  const bodies = [];
  context.on("request", (request) => asked.push(request.url()));
  context.on("response", async (response) => {
    if (/_local\/(overview|deployments|invocations)/.test(response.url())) bodies.push(await response.text().catch(() => ""));
  });
  const page = await checks.page(context);

  await checks.check("the page says that it is connected, and which cloud that is", async () => {
    await page.goto(stage.origin);
    await until(async () => (await text(page, "#link-text")) === "Connected", "the feed");
    await until(async () => (await text(page, "#facts")).includes("v"), "the version");
  });
  await checks.check("the client connects, joins a room by a route that is offered, and hears the answer", async () => {
    await connect(page);
    await page.locator("#client-route").selectOption("join");
    assert.match(await page.locator("#client-message").inputValue(), /"action":"join"/);
    await page.locator("#client-go").click();
    await hears(page, "has joined to Room room1");
    await say(page, { action: "send", room: "room1", msg: "hello from the page" });
    await hears(page, "hello from the page");
  });
  await checks.check("the connection is listed, with its stage, and counted in the navigation", async () => {
    await go(page, "connections");
    const rows = page.locator("#connections-body tbody tr");
    await until(async () => (await rows.count()) === 1, "one connection");
    await until(async () => /127\.0\.0\.1.*Mozilla/.test(await rows.first().textContent()), "where it comes from");
    assert.match(await rows.first().textContent(), /local/);
    assert.equal((await text(page, "#nav-connections")).trim(), "1");
  });
  await checks.check("routes are shown with what they lead to and how often they were hit", async () => {
    await go(page, "routes");
    const send = page.locator("#routes-body tbody tr").filter({ has: page.locator("code", { hasText: /^send$/ }) });
    await until(async () => /chat-local-room.*1/.test(await send.textContent()), "the hit");
    assert.match(await text(page, "#routes-body"), /API_PASSWORD/);
    await send.getByRole("link", { name: "Try route send" }).click();
    await until(async () => /"send"/.test(await page.locator("#client-message").inputValue()), "a message for the route");
  });
  await checks.check("an invocation shows its event, response, duration, whether it was cold, and its logs", async () => {
    await go(page, "traffic");
    await row(page, "message", "hello from the page").click();
    const detail = page.locator("#detail");
    await until(async () => /REPORT RequestId/.test(await detail.textContent()), "the logs");
    const told = await detail.textContent();
    assert.match(told, /"routeKey": "send"/);
    assert.match(told, /"statusCode": 200/);
    assert.match(told, /warm|cold, start/);
    assert.match(told, /START RequestId/);
    assert.match(await text(page, "#detail .badges"), /ok.*\d m?s/);
    assert.match(page.url(), /#invocation\//);
  });
  await checks.check("an event is sent again, and the new invocation names the old one", async () => {
    const before = page.url();
    await page.locator("#resend").click();
    await until(() => page.url() !== before, "the new invocation");
    await page.locator("#detail", { hasText: "Sent again from" }).waitFor();
    await go(page, "client");
    await until(async () => (await page.locator("#client-log .line.in", { hasText: "hello from the page" }).count()) === 2, "what was said again");
  });
  await checks.check("a link to an invocation shows it to who opens it later", async () => {
    await go(page, "traffic");
    await row(page, "message", "hello from the page").click();
    const other = await checks.page(context);
    await other.goto(page.url());
    await other.locator("#detail", { hasText: '"routeKey": "send"' }).waitFor();
    await other.close();
  });
  await checks.check("words, kinds and failures choose what is shown", async () => {
    await go(page, "traffic");
    await page.locator("#filter").fill("hello from the PAGE");
    await until(async () => /^\d+ of /.test(await text(page, "#tally")), "fewer rows");
    await until(async () => (await page.locator("#space .row:not([hidden])", { hasText: "connect" }).count()) === 0, "no other rows");
    await page.locator("#filter").fill("");
    await page.locator("#kinds input[value=log]").check({ force: true });
    await row(page, "log", "START RequestId").waitFor();
    await page.locator("#kinds input[value=log]").uncheck({ force: true });
    await page.locator("#failed").check({ force: true });
    await until(async () => /^0 of/.test(await text(page, "#tally")), "no failures");
    await page.locator("#failed").uncheck({ force: true });
  });
  await checks.check("paused, the traffic stands still and counts what it doesn't show", async () => {
    await page.locator("#pause").click();
    await say(page, { action: "send", room: "room1", msg: "while it was paused" });
    await hears(page, "while it was paused");
    await go(page, "traffic");
    await until(async () => /paused, \d+ newer/.test(await text(page, "#tally")), "the count");
    assert.equal(await row(page, "while it was paused").count(), 0);
    await page.locator("#pause").click();
    await row(page, "message", "while it was paused").waitFor();
  });
  await faults(checks, page);
  await checks.check("a connection that is cut sees it, and is listed no more", async () => {
    await go(page, "connections");
    await page.getByRole("button", { name: /^Cut connection/ }).click();
    await page.locator("#connections-body", { hasText: "Nobody is connected" }).waitFor();
    await go(page, "client");
    await page.locator("#client-log .line.note", { hasText: /Closed: 100[01]/ }).waitFor();
    await go(page, "traffic");
    await row(page, "disconnect").waitFor();
  });
  await checks.check("of two releases it shows what differs: memory, version, and the names of variables", async () => {
    await stage.up("memory_mb = 256", `timeout_seconds = 21`);
    await go(page, "releases");
    const shown = page.locator("#difference");
    await until(async () => /128 MB → 256 MB/.test(await shown.textContent().catch(() => "")), "the difference");
    assert.match(await shown.textContent(), /timeout: 20 s → 21 s/);
    assert.match(await shown.textContent(), /chat-local-room/);
    assert.doesNotMatch(await shown.textContent(), /chat-local-connect/);
    const from = await page.locator("#releases-from").inputValue();
    await page.locator("#releases-to").selectOption(from);
    await page.locator("#difference", { hasText: "one and the same" }).waitFor();
  });
  await checks.check("the value of a function's variable is in no view and no answer", async () => {
    for (const view of VIEWS) {
      await go(page, view);
      assert.ok(!(await page.content()).includes(SECRET), view);
    }
    assert.ok(bodies.length > 3);
    for (const body of bodies) assert.ok(!body.includes(SECRET));
  });
  await checks.check("by https the feed comes, too, and the client takes wss", async () => {
    // That the authority is trusted is the machine's affair: docs/LOCAL_TLS.md.
    const secure = await browser.newContext({ ignoreHTTPSErrors: true });
    const other = await checks.page(secure);
    await other.goto(`${stage.origin.replace("http:", "https:")}/#client`);
    await until(async () => (await text(other, "#link-text")) === "Connected", "the feed");
    await until(async () => /^wss:/.test(await other.locator("#client-url").inputValue()), "the stage's URL");
    await other.locator("#client-open").click();
    await until(async () => (await text(other, "#client-state")) === "Connected", "the connection");
    await secure.close();
  });
  await checks.check("no request leaves for another origin", async () => {
    const foreign = asked.filter((url) => !url.startsWith(`${stage.origin}/`) && !url.startsWith("data:"));
    assert.deepEqual(foreign, []);
    assert.ok(asked.length > 20);
  });
  await context.close();
}

async function faults(checks, page) {
  await checks.check("slow: the invocation takes as long as was said, and the fault is named in the traffic", async () => {
    await setFault(page, "slow", { delay: 700, times: 1 });
    await until(async () => (await text(page, "#nav-faults")).trim() === "1", "the count of faults");
    await say(page, { action: "send", room: "room1", msg: "slowly" });
    await hears(page, "slowly");
    await go(page, "traffic");
    await row(page, "fault", "slow").click();
    await page.locator("#detail", { hasText: /Faultslow.*Left0/ }).waitFor();
    await page.locator("#detail dd a").click();
    await page.locator("#detail-title", { hasText: ROOM }).waitFor();
    await row(page, "message", "slowly").click();
    await until(async () => {
      const found = /(\d+) ms|(\d\.\d+) s/.exec(await text(page, "#detail .badges"));
      return found && (Number(found[1]) >= 700 || Number(found[2]) >= 0.7);
    }, "the duration");
  });
  await checks.check("throttle: the invocation is refused, the sender is told, and removing the fault mends it", async () => {
    await setFault(page, "throttle");
    await say(page, { action: "send", room: "room1", msg: "refused" });
    await hears(page, "Internal server error");
    await go(page, "faults");
    await page.getByRole("button", { name: /^Remove fault throttle/ }).click();
    await page.locator("#faults-body", { hasText: "No fault is set" }).waitFor();
    await say(page, { action: "send", room: "room1", msg: "served again" });
    await hears(page, "served again");
  });
  await checks.check("gone: posts are answered with 410", async () => {
    await setFault(page, "gone", { times: 1, connection: true });
    await say(page, { action: "who", room: "room1" });
    await go(page, "traffic");
    await row(page, "post", "410").waitFor();
  });
  await checks.check("crash: the process dies as if by itself, and the next one serves", async () => {
    await setFault(page, "crash", { times: 1 });
    await say(page, { action: "who", room: "room1" });
    await hears(page, "Internal server error");
    await go(page, "traffic");
    await row(page, "invoke", "Runtime.ExitError").waitFor();
    await row(page, "invoke", "Runtime.ExitError").click();
    await page.locator("#detail .badge.bad").waitFor();
    await say(page, { action: "join", room: "room1" });
    await hears(page, "has joined to Room room1");
  });
  await checks.check("all faults are removed at once; one that makes no sense is refused in words", async () => {
    await setFault(page, "slow", { delay: 60_000 });
    await setFault(page, "gone");
    await page.locator("#faults-clear").click();
    await page.locator("#faults-body", { hasText: "No fault is set" }).waitFor();
    await page.locator("#fault-form input[value=slow]").check();
    await page.locator("#fault-delay").fill("60001");
    await page.evaluate(() => { document.getElementById("fault-form").noValidate = true; });
    await page.getByRole("button", { name: "Add fault" }).click();
    await until(async () => /delay/i.test(await text(page, "#fault-problem")), "the refusal");
  });
}
