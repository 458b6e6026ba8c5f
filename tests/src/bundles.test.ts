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
