// Pictures of the main views, compared with those in screenshots/. UPDATE_SCREENSHOTS=1 writes
// them anew. The cloud is the fixture: it always tells the same, and the clock stands still.

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import pixelmatch from "pixelmatch";
import { PNG } from "pngjs";
import { OUT, until } from "./check.mjs";
import { START } from "./fixture.mjs";

const KEPT = new URL("./screenshots/", import.meta.url);
/**
 * How much of a picture may differ, and by how much a pixel must to count. By one Chromium
 * pictures are equal to the pixel; versions, of which the system has whichever it has, smooth
 * the edges of letters a little differently. A word that changes is 0.08 % of a picture and more.
 */
const TOLERATED = 0.0004;
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
        await compare(file, await page.screenshot({ animations: "disabled", caret: "hide" }));
      });
    }
    await context.close();
  }
}

async function compare(file, taken) {
  const kept = new URL(file, KEPT);
  if (process.env.UPDATE_SCREENSHOTS) {
    await mkdir(KEPT, { recursive: true });
    await writeFile(kept, taken);
    return;
  }
  const [is, was] = [PNG.sync.read(taken), PNG.sync.read(await readFile(kept))];
  assert.deepEqual([is.width, is.height], [was.width, was.height]);
  const picture = new PNG({ width: is.width, height: is.height });
  const differing = pixelmatch(is.data, was.data, picture.data, is.width, is.height, { threshold: THRESHOLD });
  const share = differing / (is.width * is.height);
  if (share > TOLERATED) {
    await mkdir(OUT, { recursive: true });
    await writeFile(new URL(file, OUT), taken);
    await writeFile(new URL(`difference-${file}`, OUT), PNG.sync.write(picture));
    assert.fail(`${(100 * share).toFixed(3)} % differs (${100 * TOLERATED} % are tolerated): see tests/page/out/${file} and difference-${file}; UPDATE_SCREENSHOTS=1 keeps it`);
  }
}
