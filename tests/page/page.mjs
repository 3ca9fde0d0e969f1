// The page of the local cloud, and the chat's, in headless Chromium.
// usage: page.mjs CHROMIUM DEPLOYER FUNCTIONS [PART…]; parts: units, views, chat, guard, axe,
// keyboard, feed, screenshots

import { rm } from "node:fs/promises";
import { axe, keyboard } from "./accessible.mjs";
import { withBrowser } from "./browser.mjs";
import { chat } from "./chat.mjs";
import { Checks, OUT } from "./check.mjs";
import { feed } from "./feed.mjs";
import { scene, startFixture } from "./fixture.mjs";
import { guard, REBOUND } from "./guard.mjs";
import { screenshots } from "./shots.mjs";
import { Stage } from "./stage.mjs";
import { units } from "./units.mjs";
import { views } from "./views.mjs";

const [chromium, deployer, functions, ...named] = process.argv.slice(2);
const ON_STAGE = ["views", "chat", "guard", "axe"];
const PARTS = { units, views, chat, guard, axe, keyboard, feed, screenshots };
const parts = named.length ? named : Object.keys(PARTS);
const checks = new Checks();
const begun = Date.now();
await rm(OUT, { recursive: true, force: true });

let stage = null;
const fixture = await startFixture({ events: scene() });
try {
  if (parts.some((part) => ON_STAGE.includes(part))) {
    stage = await Stage.begin(deployer, functions);
    stage.api = new URL((await stage.up()).url).pathname.split("/")[1];
  }
  await withBrowser(chromium, async (browser) => {
    for (const part of parts) {
      console.log(part);
      const act = PARTS[part];
      if (part === "axe") await act(checks, browser, fixture, stage);
      else if (ON_STAGE.includes(part)) await act(checks, browser, stage);
      else await act(checks, browser, fixture);
    }
  }, [`--host-resolver-rules=MAP ${REBOUND} 127.0.0.1`]);
} finally {
  await fixture.close();
  await stage?.end();
}
console.log(`page: ${checks.passed} passed, ${checks.failed.length} failed (${((Date.now() - begun) / 1000).toFixed(0)} s)`);
for (const sentence of checks.failed) console.log(`  ${sentence}`);
process.exitCode = checks.failed.length ? 1 : 0;
