// usage: bench.mjs CHROMIUM DEPLOYER FUNCTIONS; README.md says what is measured.

import { createServer } from "node:http";
import { withBrowser } from "../../tests/page/browser.mjs";
import { message, startFixture } from "../../tests/page/fixture.mjs";
import { Stage } from "../../tests/page/stage.mjs";

const [chromium, deployer, functions] = process.argv.slice(2);
const LOADS = Number(process.env.LOADS ?? 10);
const EVENTS = Number(process.env.EVENTS ?? 10_000);
const STREAM_MS = 10_000;
const PUSH_EVERY = 50;
const GOAL_PAINT = 100;
const GOAL_FRAME = 50;

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const round = (value) => Math.round(value * 10) / 10;

/** One load in a context of its own: no cache, no warm page. */
async function load(browser, url, hasViews) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto(url);
  if (hasViews) await page.locator("main .view").first().waitFor();
  const paints = await page.evaluate(() => new Promise((resolve) => {
    const found = () => Object.fromEntries(performance.getEntriesByType("paint").map(({ name, startTime }) => [name, startTime]));
    const look = () => (found()["first-contentful-paint"] === undefined ? requestAnimationFrame(look) : resolve(found()));
    look();
  }));
  const shown = hasViews ? await page.evaluate(() => performance.getEntriesByName("shown")[0].startTime) : null;
  await context.close();
  return { shown, paint: paints["first-paint"] ?? paints["first-contentful-paint"], contentful: paints["first-contentful-paint"] };
}

async function paints(browser) {
  const bare = createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<!doctype html><title>Bare</title><p>Nothing else"));
  await new Promise((listening) => bare.listen(0, "127.0.0.1", listening));
  const stage = await Stage.begin(deployer, functions);
  await stage.up();
  const targets = { page: [stage.origin], chat: [`${stage.origin}/chat/`], bare: [`http://127.0.0.1:${bare.address().port}`] };
  const all = Object.fromEntries(Object.keys(targets).map((name) => [name, []]));
  try {
    // The first of each isn't counted: the browser starts its parts then.
    for (let n = 0; n <= LOADS; n += 1) {
      for (const [name, [url]] of Object.entries(targets)) {
        const one = await load(browser, url, name === "page");
        if (n) all[name].push(one);
      }
    }
  } finally {
    await stage.end();
    bare.close();
  }
  return Object.fromEntries(Object.entries(all).map(([name, ones]) => [name, {
    firstPaintMs: round(median(ones.map((one) => one.paint))),
    worstMs: round(Math.max(...ones.map((one) => one.paint))),
    contentfulMs: round(median(ones.map((one) => one.contentful))),
    viewMs: name === "page" ? round(median(ones.map((one) => one.shown))) : null,
  }]));
}

/** In the page: intervals between frames and long tasks, until it is asked. */
function watch() {
  const seen = { frames: [], tasks: [] };
  let last = performance.now();
  let going = true;
  const tick = (now) => {
    seen.frames.push(now - last);
    last = now;
    if (going) requestAnimationFrame(tick);
  };
  requestAnimationFrame((now) => {
    last = now;
    requestAnimationFrame(tick);
  });
  const observer = new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map((entry) => entry.duration)));
  observer.observe({ type: "longtask" });
  window.watched = () => {
    going = false;
    observer.disconnect();
    return seen;
  };
}

function told({ frames, tasks }) {
  const sorted = frames.toSorted((a, b) => a - b);
  const at = (share) => round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return { frames: frames.length, medianMs: at(0.5), p99Ms: at(0.99), worstMs: at(1), over50: frames.filter((ms) => ms > GOAL_FRAME).length, longTasks: tasks.length, longestTaskMs: round(Math.max(0, ...tasks)) };
}

async function frames(browser) {
  const fixture = await startFixture();
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const results = {};
  const measured = async (name, act) => {
    await page.evaluate(watch);
    await act();
    results[name] = told(await page.evaluate(() => window.watched()));
  };
  const shows = (text) => page.waitForFunction((wanted) => document.getElementById("tally").textContent.includes(wanted), text);
  try {
    await page.goto(fixture.url);
    await page.locator("#view-traffic").waitFor();
    await page.locator("#kinds input[value=log]").check({ force: true });
    await page.waitForTimeout(500);
    await measured("idle", () => page.waitForTimeout(2_000));
    // Made before: making them takes the core that the page needs.
    const events = [];
    for (let n = 1; events.length < EVENTS; n += 1) events.push(...message(n));
    events.length = EVENTS;
    const each = Math.ceil(EVENTS / (STREAM_MS / PUSH_EVERY));
    await measured("streaming", async () => {
      for (let at = 0; at < EVENTS; at += each) {
        fixture.push(events.slice(at, at + each));
        await new Promise((resolve) => { setTimeout(resolve, PUSH_EVERY); });
      }
      await shows(`${Math.min(EVENTS, 10_000).toLocaleString("en")} events`);
    });
    await measured("scrolling", () => page.evaluate(() => new Promise((resolve) => {
      const grid = document.getElementById("grid");
      const end = grid.scrollHeight;
      let top = end;
      const step = () => {
        top -= end / 300;
        grid.scrollTop = Math.max(0, top);
        if (top > 0) requestAnimationFrame(step);
        else resolve();
      };
      requestAnimationFrame(step);
    })));
    await measured("filtering", async () => {
      for (const words of ["m", "me", "mes", "number 77", "nothing like it", ""]) {
        await page.locator("#filter").fill(words);
        await page.waitForTimeout(300);
      }
      await shows(`${Math.min(EVENTS, 10_000).toLocaleString("en")} events`);
    });
  } finally {
    await context.close();
    await fixture.close();
  }
  return results;
}

const results = await withBrowser(chromium, async (browser) => ({ paint: await paints(browser), frames: await frames(browser) }));
const row = (cells) => console.log(`| ${cells.join(" | ")} |`);
row(["first paint", "median", "worst", "contentful", "view shown"]);
row(["---", "---", "---", "---", "---"]);
for (const [name, { firstPaintMs, worstMs, contentfulMs, viewMs }] of Object.entries(results.paint)) row([name, ...[firstPaintMs, worstMs, contentfulMs, viewMs].map((ms) => (ms === null ? "" : `${ms} ms`))]);
console.log();
row(["frames", "count", "median", "p99", "worst", `over ${GOAL_FRAME} ms`, "long tasks", "longest"]);
row(["---", "---", "---", "---", "---", "---", "---", "---"]);
for (const [name, one] of Object.entries(results.frames)) row([name, one.frames, `${one.medianMs} ms`, `${one.p99Ms} ms`, `${one.worstMs} ms`, one.over50, one.longTasks, `${one.longestTaskMs} ms`]);
const met = { firstPaint: results.paint.page.firstPaintMs < GOAL_PAINT, frames: ["streaming", "scrolling", "filtering"].every((name) => results.frames[name].over50 === 0) };
console.log(`\ngoals: first paint under ${GOAL_PAINT} ms: ${met.firstPaint ? "met" : "missed"}; no frame over ${GOAL_FRAME} ms: ${met.frames ? "met" : "missed"}`);
console.log(JSON.stringify({ loads: LOADS, events: EVENTS, ...results, met }));
