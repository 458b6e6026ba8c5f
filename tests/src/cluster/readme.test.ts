/** The program in the README of @logstore/engine-jetstream, run twice in a row. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { NatsServers, natsServer, SKIPPED } from "../../../packages/engine-jetstream/test/nats-servers.ts";

const cwd = fileURLToPath(new URL("../..", import.meta.url)); // whose packages the program imports
const readme = readFileSync(new URL("../../../packages/engine-jetstream/README.md", import.meta.url), "utf8");

test.skipIf(natsServer() === undefined)(
  "the program of the README runs, also on the data of its first run",
  async () => {
    const nats = await NatsServers.start();
    onTestFinished(() => nats.stop());
    const [, code] = /```ts\n(.*?)```/s.exec(readme)!;
    const program = code!.replace("nats://127.0.0.1:4222", nats.addresses[0]!);
    expect(program).not.toBe(code);
    const run = () =>
      promisify(execFile)(process.execPath, ["--input-type=module-typescript", "--eval", program], { cwd });
    const first = await run();
    expect(first).toMatchObject({ stdout: expect.stringMatching(/^in partition \d, written\n0 paid\n$/), stderr: "" });
    expect((await run()).stdout).toBe(`${first.stdout}1 paid\n`);
  },
  60_000,
);

if (natsServer() === undefined) test.skip(SKIPPED, () => {});
