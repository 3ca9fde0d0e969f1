// Checks one after the other; each is a sentence. What fails leaves a picture in out/.

import { mkdir } from "node:fs/promises";

export const OUT = new URL("./out/", import.meta.url);
const PATIENCE = 15_000; // only a failure takes that long

/** Asks again until it is so, with a deadline. */
export async function until(holds, what, patience = PATIENCE) {
  const end = Date.now() + patience;
  for (;;) {
    const found = await holds();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what} hasn't come`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export class Checks {
  passed = 0;
  failed = [];
  pages = new Set();

  async check(sentence, act) {
    const begun = Date.now();
    try {
      await act();
      this.passed += 1;
      console.log(`  ok  ${sentence} (${Date.now() - begun} ms)`);
    } catch (error) {
      this.failed.push(sentence);
      console.log(`FAIL  ${sentence}\n      ${String(error.stack ?? error).replaceAll("\n", "\n      ")}`);
      await mkdir(OUT, { recursive: true });
      let n = 0;
      for (const page of this.pages) {
        n += 1;
        const name = `failed-${this.failed.length}-${n}.png`;
        await page.screenshot({ path: new URL(name, OUT).pathname }).then(() => console.log(`      picture: tests/page/out/${name}`)).catch(() => {});
      }
    }
  }

  /** A page whose own errors fail the run. */
  async page(context) {
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.on("pageerror", (error) => this.failed.push(`an error in the page: ${error.stack}`));
    page.on("console", (message) => {
      if (message.type() === "error" && /Content Security Policy|Refused to/.test(message.text())) this.failed.push(`the page breaks its policy: ${message.text()}`);
    });
    this.pages.add(page);
    page.on("close", () => this.pages.delete(page));
    return page;
  }
}
