// Headless Chromium as the tests and the benchmark use it.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--font-render-hinting=none",
  "--disable-lcd-text",
];
/** What is drawn must not depend on which fonts a machine has. */
const FONTS = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<dir>/usr/share/fonts/truetype/dejavu</dir><cachedir>CACHE</cachedir>
<selectfont><rejectfont>${["Serif", "Math", "SansCondensed", "Sans-ExtraLight"].map((name) => `<glob>*/DejaVu${name}*</glob>`).join("")}</rejectfont></selectfont>
<alias><family>system-ui</family><prefer><family>DejaVu Sans</family></prefer></alias>
<alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
<alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>`;

export async function withBrowser(executablePath, act, flags = []) {
  const folder = await mkdtemp(join(tmpdir(), "page-"));
  const fonts = join(folder, "fonts.conf");
  await writeFile(fonts, FONTS.replace("CACHE", join(folder, "fonts")));
  const env = { ...process.env, HOME: folder, FONTCONFIG_FILE: fonts };
  const browser = await chromium.launch({ executablePath, headless: true, args: [...FLAGS, ...flags], env });
  try {
    return await act(browser);
  } finally {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  }
}
