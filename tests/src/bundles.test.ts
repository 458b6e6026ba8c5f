/**
 * A program that uses the client can be bundled with the usual bundlers, and the bundle runs where
 * nothing is installed.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Broker } from "@logstore/core";
import { serve } from "@logstore/server-grpc";
import { expect, onTestFinished, test } from "vitest";
import { nodeBundlers } from "./bundlers.ts";

const countModules = `
import { registerHooks } from "node:module";
const loaded = {};
registerHooks({
  load(url, context, next) {
    const [, name] = /packages\\/(\\w+)\\/dist\\//.exec(url) ?? /.*node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url) ?? [];
    if (name !== undefined) loaded[name] = (loaded[name] ?? 0) + 1;
    return next(url, context);
  },
});
await import("@logstore/client");
console.log(JSON.stringify(loaded));
`;

const program = `
import { connect, text } from "@logstore/client";
async function main() {
  const client = connect(process.argv[2]);
  await client.createTopic("t", { partitions: 1 });
  await client.producer("t").send({ value: "sent" });
  for await (const { value } of client.reader({ assign: { t: [0] }, until: "latest", value: text() })) console.log(value);
  await client.describeTopic("none").catch((error) => console.log(error.code));
  await client.close();
}
main();
`;

test.each(Object.keys(nodeBundlers))("%s", async (name) => {
  const broker = await Broker.open(":memory:");
  const server = await serve(broker, { port: 0 });
  const directory = mkdtempSync(join(tmpdir(), "logstore-bundle-"));
  // Next to the packages, so that they are found.
  const entry = join(import.meta.dirname, `bundled-${process.pid}-${name.replace(/\W/g, "")}.mjs`);
  writeFileSync(entry, program);
  onTestFinished(async () => {
    rmSync(entry);
    rmSync(directory, { recursive: true });
    await server.stop();
    await broker.close();
  });
  const bundle = await nodeBundlers[name]!(entry, directory);
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [bundle, server.address], {
    cwd: directory,
  });
  expect({ stdout, stderr }).toEqual({ stdout: "sent\nUNKNOWN_TOPIC\n", stderr: "" });
});

test("the client is loaded as one module, the codec as two, and no protobuf library", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", countModules], {
    cwd: import.meta.dirname,
  });
  const loaded = JSON.parse(stdout);
  expect(loaded).toMatchObject({ client: 1, codec: 2, "@grpc/grpc-js": expect.any(Number) });
  expect(Object.keys(loaded).filter((name) => /proto-?buf|proto-loader/.test(name))).toEqual([]);
});
