// For who doesn't see the page, or has no mouse: axe-core on every view, in light and dark,
// and a walk by keys alone.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { until } from "./check.mjs";
import { VIEWS } from "./views.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

async function violations(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(async (tags) => (await axe.run(document, { runOnly: { type: "tag", values: tags } })).violations, RULES);
  return found.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("; ")}`);
}

async function talking(checks, browser, stage) {
  const context = await browser.newContext({ bypassCSP: true });
  const page = await checks.page(context);
  await checks.check("axe-core finds nothing in a client that has sent and heard, and been refused", async () => {
    await page.goto(`${stage.origin}/#client`);
    await until(() => page.locator("#client-url").inputValue(), "the stage's URL");
    await page.locator("#client-open").click();
    await page.locator("#client-go:enabled").waitFor();
    await page.locator("#client-message").fill("{\"n\": [1, true]}");
    await page.keyboard.press("Control+Enter");
    await page.locator("#client-log .line.in").waitFor();
    await page.locator("#client-open").click();
    await page.locator("#client-log .line.note", { hasText: "Closed" }).waitFor();
    await page.locator("#client-url").fill(`ws://127.0.0.1:${stage.port}/nowhere/local`);
    await page.locator("#client-open").click();
    await page.locator("#client-log .line.problem").waitFor();
    assert.deepEqual(await violations(page), []);
  });
  await context.close();
}

export async function axe(checks, browser, fixture, stage) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of colorScheme === "light" ? [1280, 400] : [1280]) {
      // The page's policy allows no script of others, axe among them.
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 }, bypassCSP: true });
      const page = await checks.page(context);
      await checks.check(`axe-core finds nothing in any view, ${colorScheme}, ${width} px wide`, async () => {
        await page.goto(fixture.url);
        await page.locator("#space .row").first().waitFor();
        for (const view of [...VIEWS, "invocation/0f5a7c1e-0007-4b7e-9d7e-3c5b1a2f4e6d"]) {
          await page.evaluate((hash) => { location.hash = hash; }, view);
          await page.locator(view.includes("/") ? "#detail" : `#view-${view}`).waitFor();
          await until(() => page.evaluate(() => document.querySelector("main .view:not([hidden])").textContent.length > 50), view);
          assert.deepEqual(await violations(page), [], view);
        }
      });
      await checks.check(`axe-core finds nothing in the chat's page, ${colorScheme}, ${width} px wide`, async () => {
        await page.goto(`${stage.origin}/chat`);
        await until(() => page.locator("#url").inputValue(), "the stage's URL");
        assert.deepEqual(await violations(page), []);
        await page.locator("#join").click();
        await page.locator("#messages .line").first().waitFor();
        assert.deepEqual(await violations(page), []);
      });
      await context.close();
    }
  }
  await talking(checks, browser, stage);
}

const focused = (page) => page.evaluate(() => {
  const at = document.activeElement;
  return at.id || at.getAttribute("href") || at.textContent.trim();
});

export async function keyboard(checks, browser, fixture) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await checks.page(context);
  const { keyboard: keys } = page;
  await page.goto(fixture.url);
  await page.locator("#space .row").first().waitFor();

  await checks.check("by keys: the first stop skips the navigation, then come the views", async () => {
    await keys.press("Tab");
    assert.equal(await focused(page), "#main");
    await keys.press("Enter");
    assert.equal(await focused(page), "main");
    await page.goto(`${fixture.url}/?again`);
    await page.locator("#space .row").first().waitFor();
    const stops = [];
    for (let n = 0; n < 8; n += 1) {
      await keys.press("Tab");
      stops.push(await focused(page));
    }
    assert.deepEqual(stops, ["#main", "#traffic", "#connections", "#routes", "#releases", "#client", "#faults", "filter"]);
  });
  await checks.check("by keys: rows are walked, opened and closed, and the focus comes back", async () => {
    await keys.press("Escape");
    assert.equal(await focused(page), "grid");
    await keys.press("End");
    await keys.press("ArrowUp");
    const active = () => page.evaluate(() => document.getElementById(document.getElementById("grid").getAttribute("aria-activedescendant"))?.textContent);
    await until(async () => /post/.test((await active()) ?? "") || /invoke/.test((await active()) ?? ""), "the active row");
    await keys.press("Enter");
    await page.locator("#detail").waitFor();
    await until(async () => (await focused(page)) === "detail-title", "the focus in the details");
    await keys.press("Tab");
    assert.equal(await focused(page), "detail-close");
    await keys.press("Escape");
    await page.locator("#detail").waitFor({ state: "hidden" });
    assert.equal(await focused(page), "grid");
    await keys.press("Home");
    await until(async () => /connect/.test((await active()) ?? ""), "the first row");
    await page.locator("#follow").waitFor();
    await keys.press("PageDown");
    await keys.press("End");
    await page.locator("#follow").waitFor({ state: "hidden" });
  });
  await checks.check("by keys: / leads to the filter, Escape empties it", async () => {
    await keys.press("/");
    assert.equal(await focused(page), "filter");
    await keys.type("boom");
    await until(async () => /^2 of/.test(await page.locator("#tally").textContent()), "what fits");
    await keys.press("Escape");
    await until(async () => /^50 of/.test(await page.locator("#tally").textContent()), "all");
  });
  await checks.check("by keys: a view that is chosen gets the focus at its heading", async () => {
    await page.locator('nav a[href="#faults"]').focus();
    await keys.press("Enter");
    await until(async () => (await focused(page)) === "title-faults", "the heading");
    assert.equal(await page.title(), "Faults · Local cloud");
    await keys.press("Tab");
    await keys.press("ArrowDown");
    assert.equal(await page.evaluate(() => document.activeElement.value), "crash");
  });
  await checks.check("what is focused is seen to be", async () => {
    await keys.press("Tab");
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none");
  });
  await context.close();
}
