// The chat on a local cloud of the tests' own, as `deployer up local` makes it.

import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);
/** Stands in a variable of the room's function: no page may show it. */
export const SECRET = "tell-nobody-5f3c9e";

async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

export class Stage {
  static async begin(deployer, functions) {
    const stage = new Stage();
    stage.deployer = resolve(deployer);
    stage.folder = await mkdtemp(join(tmpdir(), "page-stage-"));
    stage.port = await freePort();
    stage.origin = `http://127.0.0.1:${stage.port}`;
    const others = Object.entries(process.env).filter(([name]) => !/^(AWS|DEPLOYER)_/.test(name));
    stage.env = { ...Object.fromEntries(others), CARGO: join(ROOT, "benches/deploy/prebuilt-cargo"), PREBUILT: resolve(functions) };
    await cp(join(ROOT, "stages"), join(stage.folder, "stages"), { recursive: true });
    stage.shipped = (await readFile(join(ROOT, "stages/local.toml"), "utf8")).replace("port = 9100", `port = ${stage.port}`);
    return stage;
  }

  /** Deploys with these lines added to the room's function. */
  async up(...lines) {
    const added = [`environment = { API_PASSWORD = "${SECRET}" }`, ...lines];
    const text = this.shipped.replace("[functions.room]\n", `[functions.room]\n${added.join("\n")}\n`);
    await writeFile(join(this.folder, "stages/local.toml"), text);
    const { stdout } = await this.run("up", "local", "--json");
    return JSON.parse(stdout.trim().split("\n").at(-1));
  }

  run(...command) {
    return run(this.deployer, ["--project", this.folder, ...command], { env: this.env });
  }

  async end() {
    await this.run("down", "local");
    await rm(this.folder, { recursive: true, force: true });
  }
}
