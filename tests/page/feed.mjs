// The feed when it ends, comes again, and has too much for the page.

import assert from "node:assert/strict";
import { until } from "./check.mjs";
import { message, startFixture } from "./fixture.mjs";

export async function feed(checks, browser) {
  const fixture = await startFixture();
  const context = await browser.newContext();
  const page = await checks.page(context);
  const tally = () => page.locator("#tally").textContent();
  const link = () => page.locator("#link-text").textContent();

  await checks.check("a page without its cloud says so, comes back by itself, and tells how much it has missed", async () => {
    await page.goto(fixture.url);
    await until(async () => (await link()) === "Connected", "the feed");
    fixture.push(message(1));
    await until(async () => /event/.test(await tally()) && !/^0 /.test(await tally()), "the first events");
    fixture.refuse(true);
    await until(async () => /^Disconnected/.test(await link()), "the end");
    fixture.push(message(2));
    fixture.refuse(false);
    await until(async () => (await link()) === "Connected", "the feed again");
    const count = message(2).length;
    await page.locator("#space .row", { hasText: `${count} events were missed` }).waitFor();
    await until(async () => (await page.locator("#facts").textContent()).includes(`${count} events missed`), "the count");
  });
  await checks.check("of more than 10,000 events the newest are kept", async () => {
    for (let n = 0; n < 1_300; n += 1) fixture.push(message(n + 10));
    const sum = async () => Number(/of ([\d,]+) events/.exec(await tally())?.[1].replace(",", "") ?? 0);
    await until(async () => (await sum()) === 10_000, "10,000 events");
    await page.locator("#space .row", { hasText: "message number 1309" }).last().waitFor();
    assert.ok((await page.locator("#space .row").count()) < 100);
  });
  await checks.check("what the cloud tells is shown as text, whatever it looks like", async () => {
    const markup = "<img src=x onerror=\"document.title='broken'\"><script>1</script>";
    fixture.push(message(3, markup));
    await page.locator("#space .row", { hasText: "<img src=x" }).last().click();
    await page.locator("#detail pre", { hasText: "<img src=x" }).first().waitFor();
    assert.equal(await page.locator("#detail img, #space img, main script").count(), 0);
    assert.notEqual(await page.title(), "broken");
  });
  await context.close();
  await fixture.close();
}
