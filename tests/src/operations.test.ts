/** Executes docs/operations.md literally in an empty directory. */
import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { skipped } from "../../packages/core/test/skipped.ts";
import { freePort } from "./free-port.ts";
import { removeDirectory, temporaryDirectory } from "./homes.ts";

const page = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
const section = page.split(/^## /m).find((text) => text.startsWith("TLS and access control, step by step"))!;
const blocks = [...section.matchAll(/^```(sh|yaml)\n(.*?)^```$/gms)].map(([, language, text]) => ({
  language,
  text: text!,
}));
/** Lines with a comment that contains their output. */
const said = blocks.flatMap(({ text }) =>
  [...text.matchAll(/^node (?:send|receive)\.mjs .*# (.+)$/gm)].map(([, line]) => line),
);

const missing = [spawnSync("openssl", ["version"]), spawnSync("bash", ["--version"])].some(
  ({ status }) => status !== 0,
);
if (missing) skipped("the steps of docs/operations.md (openssl and bash are needed)");

test("the page has commands to execute", () => {
  expect(blocks.length).toBeGreaterThan(5);
  expect(said).toEqual([
    "ada sent offset 0 of orders",
    "bob was refused: PERMISSION_DENIED",
    "ada was refused: PERMISSION_DENIED",
    "ada received hello at offset 0 of orders",
    "ada was refused: PERMISSION_DENIED",
    "bob was refused: PERMISSION_DENIED",
  ]);
});

test.skipIf(missing)(
  "the steps give a TLS server with two principals, one of which is refused a topic, and do so again",
  async () => {
    const directory = await temporaryDirectory();
    onTestFinished(() => removeDirectory(directory));
    const path = await installed(directory);
    for (const offset of [0, 1]) {
      expect(await follow(directory, path)).toEqual(said.map((line) => line!.replace("offset 0", `offset ${offset}`)));
      const log = (await readFile(join(directory, "server.log"), "utf8")).trim().split("\n");
      const messages = log.map((line) => JSON.parse(line));
      expect(messages).toContainEqual(expect.objectContaining({ msg: "listening", tls: true, access: true }));
      expect(messages).toContainEqual(expect.objectContaining({ msg: "the configuration was read again" }));
      expect(messages.at(-1)).toMatchObject({ msg: "closed" });
    }
  },
  240_000,
);

/** Executes the commands of the page, and returns the output of its programs. */
async function follow(directory: string, path: string): Promise<string[]> {
  const port = await freePort();
  const commands: string[] = [];
  for (const { language, text } of blocks) {
    const here = text.replaceAll("7411", String(port)); // the only thing that a test has to change
    const [, file] = /^# (\S+)\n/.exec(here) ?? [];
    if (language === "yaml") await writeFile(join(directory, file!), here);
    else commands.push(here);
  }
  // The last command stops the server; if an earlier one fails, the trap does.
  const script = `trap 'kill $(cat server.pid) 2> /dev/null || true' EXIT\n${commands.join("\n")}\nwait`;
  const { stdout } = await promisify(execFile)("bash", ["-euo", "pipefail", "-c", script], {
    cwd: directory,
    env: { ...process.env, PATH: path },
    timeout: 280_000,
  });
  return stdout.split("\n").filter((line) => /^(ada|bob) /.test(line));
}

/**
 * Installs the two packages of this workspace, like `npm install` would. Returns the PATH with
 * their commands.
 */
async function installed(directory: string): Promise<string> {
  const packages = join(directory, "node_modules/@logstore");
  const commands = join(directory, "node_modules/.bin");
  await mkdir(packages, { recursive: true });
  await mkdir(commands);
  for (const name of ["server-grpc", "client"]) {
    const home = dirname(fileURLToPath(import.meta.resolve(`@logstore/${name}/package.json`)));
    await symlink(home, join(packages, name));
  }
  const bin = join(commands, "logstore-server");
  await writeFile(bin, `#!/bin/sh\nexec node "${packages}/server-grpc/dist/bin.cjs" "$@"\n`, { mode: 0o755 });
  return [commands, dirname(process.execPath), process.env["PATH"]].join(delimiter);
}
