// Only pages of the cloud's own origin can look or steer.

import assert from "node:assert/strict";
import { createServer } from "node:http";

/** Resolves to this machine, as a rebound name would. */
export const REBOUND = "evil.test";

const MARK = { "x-local-cloud": "1" };
const LOOKS = ["/", "/_local/overview", "/_local/traffic", "/_local/invocations", "/_local/faults", "/_local/page/app.js", "/chat"];

async function serve(html) {
  const server = createServer((_, answer) => answer.setHeader("content-type", "text/html").end(html));
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return server;
}

/** What a page can know of a request. */
function ask([url, options]) {
  return fetch(url, options).then(
    async (answer) => ({ status: answer.status, type: answer.type, text: await answer.text() }),
    (error) => ({ failed: error.name }),
  );
}

export async function guard(checks, browser, stage) {
  const server = await serve("<!doctype html><title>A page of another origin</title>");
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}`);
  const state = async () => {
    const { connections, apis } = await (await fetch(`${stage.origin}/_local/overview`)).json();
    const { faults } = await (await fetch(`${stage.origin}/_local/faults`)).json();
    return { faults, connections: connections.length, apis: apis.length };
  };
  const before = await state();

  await checks.check("a page of another origin reads nothing of the cloud", async () => {
    for (const path of LOOKS) {
      assert.deepEqual(await page.evaluate(ask, [`${stage.origin}${path}`, {}]), { failed: "TypeError" }, path);
      const hidden = await page.evaluate(ask, [`${stage.origin}${path}`, { mode: "no-cors" }]);
      // Opaque or refused by its policy: either way there is nothing to be read.
      assert.ok(hidden.failed || hidden.text === "", path);
    }
  });
  await checks.check("a page of another origin drives nothing", async () => {
    const fault = JSON.stringify({ kind: "throttle", functionName: "chat-local-room" });
    for (const [path, options] of [
      ["/_local/faults", { method: "POST", headers: { ...MARK, "content-type": "application/json" }, body: fault }],
      ["/_local/faults", { method: "POST", mode: "no-cors", body: fault }],
      ["/_local/faults", { method: "DELETE", headers: MARK }],
      ["/_local/connections/abc", { method: "DELETE", headers: MARK }],
      ["/_local/invocations/abc/resend", { method: "POST", mode: "no-cors" }],
      ["/_local/shutdown", { method: "POST", headers: MARK }],
    ]) {
      const answer = await page.evaluate(ask, [`${stage.origin}${path}`, options]);
      assert.ok(answer.failed === "TypeError" || (answer.type === "opaque" && answer.text === ""), `${path}: ${JSON.stringify(answer)}`);
    }
    assert.deepEqual(await state(), before);
  });
  await checks.check("a page of another origin can't put the page into a frame", async () => {
    const frame = await page.evaluate((url) => new Promise((resolve) => {
      const made = document.createElement("iframe");
      made.onload = () => resolve(made.contentDocument === null);
      made.src = url;
      document.body.append(made);
    }), stage.origin);
    assert.ok(frame);
    const inner = page.frames().find((one) => one.parentFrame());
    assert.ok(!(await inner.content()).includes("Local cloud"));
  });
  await checks.check("a name that leads to this machine (DNS rebinding) is refused", async () => {
    for (const path of LOOKS) {
      const answer = await page.goto(`http://${REBOUND}:${stage.port}${path}`);
      assert.equal(answer.status(), 403, path);
    }
    const told = await page.evaluate(ask, ["/_local/overview", {}]);
    assert.equal(told.status, 403);
    const driven = await page.evaluate(ask, ["/_local/faults", { method: "POST", headers: MARK, body: "{\"kind\":\"throttle\"}" }]);
    assert.equal(driven.status, 403);
    assert.deepEqual(await state(), before);
  });
  await context.close();
  await new Promise((closed) => server.close(closed));
}
