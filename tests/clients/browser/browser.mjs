// A page of another origin in headless Chromium. usage: browser.mjs CHROMIUM PROFILE PORT API STAGE
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { ApiGatewayManagementApi } from "@aws-sdk/client-apigatewaymanagementapi";
import { chromium } from "playwright-core";

const [executablePath, profile, port, api, stage] = process.argv.slice(2);
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const cloud = `127.0.0.1:${port}`;
const url = `ws://${cloud}/${api}/${stage}`;

const page = await readFile(new URL("page.html", import.meta.url));
const server = createServer((_, answer) => answer.setHeader("content-type", "text/html").end(page));
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const browser = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: flags });

async function step(name, act) {
  await act();
  console.log(name);
}

try {
  const tab = await browser.newPage();
  const origin = `http://127.0.0.1:${server.address().port}`;
  await tab.goto(origin);

  await step("a page of another origin talks with the API", async () => {
    const answers = await tab.evaluate(([url]) => talk(url, ["hello", "post"]), [url]);
    assert.deepEqual(answers.map((text) => JSON.parse(text).echo), ["hello", "post"]);
  });
  await step("a page sees the code of a socket that is closed by @connections, or by itself", async () => {
    const [answer] = await tab.evaluate(([url]) => talk(url, ["hello"]), [url]);
    const ConnectionId = JSON.parse(answer).connectionId;
    const ended = tab.evaluate(() => end());
    await new ApiGatewayManagementApi({ endpoint: `http://${cloud}/${api}/${stage}` }).deleteConnection({ ConnectionId });
    assert.deepEqual(await ended, { code: 1000, wasClean: true });
    await tab.evaluate(([url]) => talk(url, ["hello"]), [url]);
    assert.deepEqual(await tab.evaluate(() => end((socket) => socket.close(4001, "enough"))), { code: 4001, wasClean: true });
  });
  await step("a page sees 1003 after binary and 1009 after too much", async () => {
    for (const [code, length] of [[1003, 0], [1009, 131_073]]) {
      await tab.evaluate(([url]) => talk(url, ["hello"]), [url]);
      const ended = tab.evaluate(([length]) => end((socket) => socket.send(length ? "x".repeat(length) : new Uint8Array(4))), [length]);
      assert.equal((await ended).code, code);
    }
  });
  await step("a page sees 1006 where a handshake is refused", async () => {
    assert.equal(await tab.evaluate(([url]) => refused(url), [`ws://${cloud}/${api}/nowhere`]), 1006);
  });
  await step("a page may not drive the control planes", async () => {
    const signature = "AWS4-HMAC-SHA256 Credential=A/20260102/us-east-1/apigateway/aws4_request, SignedHeaders=host, Signature=0";
    const before = await (await fetch(`http://${cloud}/_local/health`)).json();
    for (const [path, options] of [
      ["/v2/apis", { headers: { authorization: signature } }],
      [`/v2/apis/${api}`, { method: "DELETE", headers: { authorization: signature } }],
      ["/_local/health", {}],
      ["/_local/shutdown", { method: "POST", headers: { "x-local-cloud": "1" } }],
    ]) {
      const answer = await tab.evaluate(([url, options]) => ask(url, options), [`http://${cloud}${path}`, options]);
      assert.deepEqual(answer, { failed: "TypeError" }, path);
    }
    // What needs no leave of the server is sent, but refused; its answer is hidden.
    const form = { method: "POST", mode: "no-cors", body: "Action=DeleteRole" };
    const answer = await tab.evaluate(([url, options]) => ask(url, options), [`http://${cloud}/`, form]);
    assert.deepEqual(answer, { status: 0, type: "opaque", text: "" });
    const after = await (await fetch(`http://${cloud}/_local/health`)).json();
    assert.deepEqual(after.inventory, before.inventory);
  });
} finally {
  await browser.close();
  server.close();
}
