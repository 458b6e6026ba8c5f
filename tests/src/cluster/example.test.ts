/** The example of `npm run cluster`. The suites of this folder test what it shows. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const main = fileURLToPath(new URL("../../../examples/cluster/src/main.ts", import.meta.url));

test("without a NATS server it says what to install", () => {
  const env = { ...process.env, NATS_SERVER: "/nowhere/nats-server" };
  const { status, stdout, stderr } = spawnSync(process.execPath, [main], { env, encoding: "utf8" });
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toMatch(/NATS_SERVER is \/nowhere.*needs nats-server 2\.11 or later.*brew install nats-server/s);
});
