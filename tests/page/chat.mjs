// The chat's own page, in two windows.

import assert from "node:assert/strict";
import { until } from "./check.mjs";

async function enter(checks, context, stage, room) {
  const page = await checks.page(context);
  await page.goto(`${stage.origin}/chat`);
  await until(() => page.locator("#url").inputValue(), "the stage's URL");
  await page.locator("#room").fill(room);
  await page.locator("#join").click();
  await until(async () => (await page.locator("#link-text").textContent()) === "Connected", "the room");
  return page;
}

async function say(page, text) {
  await page.locator("#text").fill(text);
  await page.keyboard.press("Enter");
}

const reads = (page, text) => page.locator("#messages .line", { hasText: text }).waitFor();

export async function chat(checks, browser, stage) {
  const context = await browser.newContext();
  let ada;
  let bob;
  await checks.check("two windows of the chat hear each other, and see who is there", async () => {
    ada = await enter(checks, context, stage, "tea");
    bob = await enter(checks, context, stage, "tea");
    for (const page of [ada, bob]) await until(async () => (await page.locator("#who li").count()) === 2, "both of them");
    await say(ada, "hello Bob");
    await reads(bob, "hello Bob");
    await say(bob, "hello Ada");
    await reads(ada, "hello Ada");
    assert.equal(await ada.locator("#messages .line.said-by-me", { hasText: "hello Bob" }).count(), 1);
    assert.equal(await bob.locator("#messages .line.said-by-me", { hasText: "hello Bob" }).count(), 0);
    await until(async () => (await ada.locator(".fate").allTextContents()).every((text) => text === ""), "the acknowledgement");
  });
  await checks.check("who comes later reads what was said before", async () => {
    const eve = await enter(checks, context, stage, "tea");
    await reads(eve, "hello Ada");
    await eve.locator("#leave").click();
    await reads(ada, "has left.");
    await eve.close();
  });
  await checks.check("a window that is cut comes back to its room and reads what it has missed", async () => {
    // Cut where nobody says goodbye: by the control plane's own page.
    const ids = await ada.evaluate(async () => (await (await fetch("/_local/overview")).json()).connections.map((one) => one.connectionId));
    const me = (await bob.locator("#me").textContent()).replace("You are ", "").replace("…", "");
    const mine = ids.filter((id) => id.startsWith(me));
    assert.equal(mine.length, 1);
    await ada.evaluate((id) => fetch(`/_local/connections/${encodeURIComponent(id)}`, { method: "DELETE", headers: { "x-local-cloud": "1" } }), mine[0]);
    await reads(ada, "has left.");
    await say(ada, "while you were away");
    await reads(bob, "while you were away");
    await until(async () => (await bob.locator("#link-text").textContent()) === "Connected", "the room again");
    await say(bob, "I am back");
    await reads(ada, "I am back");
    assert.equal(await bob.locator("#messages .line", { hasText: "while you were away" }).count(), 1);
  });
  await checks.check("an address names stage and room", async () => {
    const page = await checks.page(context);
    const url = `ws://127.0.0.1:${stage.port}/${stage.api}/local`;
    await page.goto(`${stage.origin}/chat?${new URLSearchParams({ url, room: "coffee" })}`);
    await page.locator("#room-name", { hasText: "coffee" }).waitFor();
    await until(async () => (await page.locator("#link-text").textContent()) === "Connected", "the room");
    await page.close();
  });
  await context.close();
}
