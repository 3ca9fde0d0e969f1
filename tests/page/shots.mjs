// Pictures of the main views, compared with those in screenshots/. UPDATE_SCREENSHOTS=1 writes
// them anew. The cloud is the fixture: it always tells the same, and the clock stands still.

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import pixelmatch from "pixelmatch";
import { PNG } from "pngjs";
import { OUT, until } from "./check.mjs";
import { START } from "./fixture.mjs";

const KEPT = new URL("./screenshots/", import.meta.url);
/** By which Chromium they were made. */
const MADE_BY = new URL("chromium.txt", KEPT);
/**
 * How much of a picture may differ, and by how much a pixel must to count. By one Chromium
 * pictures are equal to the pixel, and a word that changes is 0.07 % of one and more. Another
 * version, and the system has whichever it has, may smooth and space letters a little
 * differently all over: then only what has moved or is missing is found.
 */
const TOLERATED = 0.0004;
const TOLERATED_OF_ANOTHER = 0.02;
const THRESHOLD = 0.25;

const INVOCATION = "invocation/0f5a7c1e-0007-4b7e-9d7e-3c5b1a2f4e6d";
const WIDE = { width: 1180, height: 640 };
const NARROW = { width: 400, height: 640 };
const ALL = ["traffic", INVOCATION, "connections", "routes", "releases", "client", "faults"];
const SETS = [
  ["light", "light", WIDE, ALL],
  ["dark", "dark", WIDE, ["traffic", INVOCATION, "releases", "faults"]],
  ["narrow", "light", NARROW, ["traffic", INVOCATION, "faults"]],
];

export async function screenshots(checks, browser, fixture) {
  const tolerated = await bound(browser.version());
  for (const [name, colorScheme, viewport, views] of SETS) {
    const context = await browser.newContext({ colorScheme, viewport, timezoneId: "UTC", locale: "en-US", reducedMotion: "reduce" });
    const page = await checks.page(context);
    await page.clock.setFixedTime(START + 10_000);
    await page.goto(fixture.url);
    await until(async () => (await page.locator("#tally").textContent()).startsWith("50 of 90"), "the traffic");
    await until(async () => (await page.locator("#nav-faults").textContent()) === "2", "the faults");
    for (const view of views) {
      const file = `${name}-${view.split("/")[0]}.png`;
      await checks.check(`${file} looks as it is kept`, async () => {
        await page.evaluate((hash) => {
          location.hash = hash;
          document.activeElement.blur();
        }, view);
        await page.locator(view.includes("/") ? "#detail" : `#view-${view}`).waitFor();
        if (view === "releases") await page.locator("#difference").waitFor();
        if (view === "client") await until(() => page.locator("#client-url").inputValue(), "the URL");
        await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
        await compare(file, await page.screenshot({ animations: "disabled", caret: "hide" }), tolerated);
      });
    }
    await context.close();
  }
}

async function bound(version) {
  if (process.env.UPDATE_SCREENSHOTS) {
    await mkdir(KEPT, { recursive: true });
    await writeFile(MADE_BY, `${version}\n`);
    return TOLERATED;
  }
  const maker = (await readFile(MADE_BY, "utf8")).trim();
  if (maker === version) return TOLERATED;
  console.log(`the pictures were made by Chromium ${maker}, this is ${version}: ${100 * TOLERATED_OF_ANOTHER} % may differ`);
  return TOLERATED_OF_ANOTHER;
}

async function compare(file, taken, tolerated) {
  const kept = new URL(file, KEPT);
  if (process.env.UPDATE_SCREENSHOTS) {
    await writeFile(kept, taken);
    return;
  }
  const [is, was] = [PNG.sync.read(taken), PNG.sync.read(await readFile(kept))];
  assert.deepEqual([is.width, is.height], [was.width, was.height]);
  const picture = new PNG({ width: is.width, height: is.height });
  const differing = pixelmatch(is.data, was.data, picture.data, is.width, is.height, { threshold: THRESHOLD });
  const share = differing / (is.width * is.height);
  if (share > tolerated) {
    await mkdir(OUT, { recursive: true });
    await writeFile(new URL(file, OUT), taken);
    await writeFile(new URL(`difference-${file}`, OUT), PNG.sync.write(picture));
    assert.fail(`${(100 * share).toFixed(3)} % differs (${100 * tolerated} % are tolerated): see tests/page/out/${file} and difference-${file}; UPDATE_SCREENSHOTS=1 keeps it`);
  }
}
