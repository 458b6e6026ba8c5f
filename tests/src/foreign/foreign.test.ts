/**
 * Clients in another language that are written from the documentation alone: Debian's Python with
 * `python3-grpcio` and `python3-grpc-tools`. Without these packages the tests are skipped with a
 * message.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text as textOf } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { connect, text } from "@logstore/client";
import { protoDirectory } from "@logstore/protocol";
import { afterAll, beforeAll, expect, type TestContext, test } from "vitest";
import { removeDirectory, temporaryDirectory } from "../homes.ts";
import { ServerProcess } from "../server-process.ts";

/** Debian's own: another Python earlier in the path would not find Debian's modules. */
const PYTHON = "/usr/bin/python3";
const client = fileURLToPath(new URL("python/client.py", import.meta.url));

let directory: string;
let server: ServerProcess;

beforeAll(async () => {
  directory = await temporaryDirectory();
  server = await ServerProcess.start(directory);
});

afterAll(async () => {
  await server.stop();
  await removeDirectory(directory);
});

function skipWithout(modules: Record<string, string>, { skip }: TestContext): void {
  for (const [module, debianPackage] of Object.entries(modules)) {
    if (spawnSync(PYTHON, ["-c", `import ${module}`]).status === 0) continue;
    const reason = `skipped: ${debianPackage} is not installed`;
    console.log(reason);
    skip(reason);
  }
}

/** Runs the client, whose assertions must hold, and returns its output. */
async function runStranger(...way: string[]): Promise<{ example: string; sent: string[] }> {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
  const python = spawn(PYTHON, [client, server.address, ...way], { env });
  const [output, errors] = await Promise.all([textOf(python.stdout), textOf(python.stderr), once(python, "close")]);
  expect(python.exitCode, errors).toBe(0);
  return JSON.parse(output);
}

/** The bytes of the worked example in the format page. */
function exampleOfPage(): string {
  const page = readFileSync(new URL("../../../docs/format/record-batch.md", import.meta.url), "utf8");
  const block = /```hex\n([\s\S]*?)```/.exec(page)![1]!;
  return block.replaceAll(/#.*$/gm, "").replaceAll(/\s/g, "");
}

test.for([["files", fileURLToPath(protoDirectory)], ["reflection"]])(
  "a client in Python, by %o",
  async (way, context) => {
    skipWithout(
      { grpc: "python3-grpcio", grpc_tools: "python3-grpc-tools", "google.protobuf": "python3-protobuf" },
      context,
    );
    const { example, sent } = await runStranger(...way);
    expect(example).toBe(exampleOfPage());
    // Our own client reads what the foreign one wrote: both agree on what the pages specify.
    await using ours = connect(server.address);
    const topic = `python-${way[0]}`;
    const read = [];
    const reader = ours.reader({ assign: { [topic]: [0] }, until: "latest", key: text(), value: text() });
    for await (const { key, value, offset, timestamp, headers } of reader) {
      read.push({ key, value, offset, timestamp, headers: headers.length });
    }
    expect(read.map(({ value }) => value)).toEqual(sent);
    expect(read.slice(0, 3)).toEqual([
      { key: null, value: "hello", offset: 0, timestamp: 1_700_000_000_000, headers: 0 },
      { key: "", value: "", offset: 1, timestamp: 1_699_999_999_999, headers: 0 },
      { key: "zoë", value: "signed up", offset: 2, timestamp: 1_700_000_000_200, headers: 2 },
    ]);
  },
);
