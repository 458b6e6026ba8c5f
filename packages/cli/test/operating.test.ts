/** Commands that monitor and serve a log: check, top, bench, dev, serve; and shell completion. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "@logstore/client";
import { Broker } from "@logstore/core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { produce } from "../src/bench/phases.js";
import { run as bench } from "../src/commands/bench.js";
import { run as check } from "../src/commands/check.js";
import { run as top } from "../src/commands/top.js";
import { candidates } from "../src/completion/candidates.js";
import { scripts } from "../src/completion/scripts.js";
import { outputOptions, placeOptions } from "../src/definitions/common-options.js";
import { commands } from "../src/definitions/index.js";
import { InterruptedError } from "../src/interrupts.js";
import { logstore, start } from "./command.js";
import { isThere } from "./foreign.js";
import { runIn } from "./in-process.js";

let broker: Broker;

/** A topic of 10 records, of which the group `billing` has 4 left to read. */
beforeAll(async () => {
  broker = await Broker.open(":memory:");
  const client = connect(broker);
  await client.createTopic("orders", { partitions: 1 });
  await client.producer("orders").sendMany(Array.from({ length: 10 }, (_, i) => ({ value: `${i}` })));
  const consumer = client.consumer({ group: "billing", topics: ["orders"], commit: "manual" });
  let seen = 0;
  for await (const _ of consumer) if (++seen === 6) break;
  await client.resetOffsets("billing", { to: "earliest" }).catch(() => {});
  await consumer.close();
  await client.resetOffsets("billing", { partitions: [{ topic: "orders", partition: 0 }], to: 6 });
  await client.close();
});

afterAll(() => broker.close());

describe("check", () => {
  test.each([
    [{}, 0, "LOGSTORE OK: 1 topic, 1 group, largest lag 4 records | topics=1;; damaged=0;; groups=1;; lag=4;;"],
    [{ warnLag: 5 }, 0, "LOGSTORE OK"],
    [{ warnLag: 4, critLag: 5 }, 1, "LOGSTORE WARNING: group billing lags by 4 records |"],
    [{ warnLag: 1, critLag: 4 }, 2, "LOGSTORE CRITICAL: group billing lags by 4 records |"],
    [{ minMembers: 1, group: ["billing"] }, 2, "CRITICAL: group billing has 0 members, not 1"],
    [{ group: ["biling"] }, 3, "LOGSTORE UNKNOWN: UNKNOWN_GROUP: there is no group biling\n"],
    [{ topic: ["nothing"] }, 3, "LOGSTORE UNKNOWN: UNKNOWN_TOPIC: there is no topic nothing\n"],
  ])("%j", async (options, code, line) => {
    const ran = await runIn({ broker }, check, options);
    expect(ran).toMatchObject({ code, stdout: expect.stringContaining(line) });
    expect(ran.stdout.trimEnd().split("\n")).toHaveLength(1);
  });

  test("as JSON", async () => {
    const { stdout } = await runIn({ broker, json: true }, check, { warnLag: 3 });
    expect(JSON.parse(stdout)).toMatchObject({
      state: "WARNING",
      metrics: expect.arrayContaining([{ name: "lag", value: "4", warning: 3 }]),
    });
  });

  test("a server that does not answer is critical", async () => {
    const child = start(["check", "--server", "127.0.0.1:1", "--timeout", "2s"]);
    let stdout = "";
    child.stdout.on("data", (chunk) => (stdout += chunk));
    const [code] = await once(child, "close");
    expect({ code, stdout }).toMatchObject({
      code: 2,
      stdout: expect.stringContaining("LOGSTORE CRITICAL: UNAVAILABLE"),
    });
  });
});

test("an interrupt does not wait for a server that accepts connections and does not answer", async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on("error", () => {})));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const interrupts = new AbortController();
  const running = logstore(["topics", "list", "--server", address], { signal: interrupts.signal });
  await once(server, "connection");
  interrupts.abort(new InterruptedError("SIGINT", 130));
  expect(await running).toEqual({ stdout: "", stderr: "", code: 130 });
});

test("top: an interrupt does not wait for a server that does not answer", async () => {
  const asked = Promise.withResolvers<void>();
  const silent = {
    listGroups: () => new Promise(() => asked.resolve()),
    listTopics: () => new Promise(() => {}),
  } as unknown as Broker;
  const stop = new AbortController();
  const running = runIn({ broker: silent, signal: stop.signal }, top, {});
  await asked.promise;
  stop.abort(new Error("interrupted"));
  expect((await running).stderr).toContain("interrupted");
});

test("top: a table where there is no terminal", async () => {
  const { stdout } = await runIn({ broker, columns: 80 }, top, { interval: 20 });
  const text = stdout.replace(/[\d.]+ m?s\b/, "1 s").replaceAll(/ {2,}/g, "  ");
  expect(text).toMatchInlineSnapshot(`
    "TOPIC  PARTITIONS  RECORDS  RECORDS/S
    orders  1  10  0

    GROUP  STATE  MEMBERS  LAG  WAITING  RECORDS/S  TOPICS
    billing  empty  0  4  1 s  0  orders

    "
  `);
  const json = await runIn({ broker, json: true }, top, { interval: 20 });
  expect(JSON.parse(json.stdout)).toMatchObject({ topics: [{ topic: "orders", records: 10 }], groups: [{ lag: 4 }] });
});

test("bench: rates, percentiles, and nothing left behind", async () => {
  const { stdout, code } = await runIn({ broker, json: true }, bench, { records: 200, rate: 2_000 });
  expect(code).toBe(0);
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(rows.map(({ measured, records }) => [measured, records])).toEqual([
    ["acknowledged", 200],
    ["end to end", 200],
    ["read", 200],
  ]);
  expect(Object.keys(rows[0].latency)).toEqual(["p50", "p95", "p99", "p999", "max"]);
  expect((await broker.listTopics()).map(({ topic }) => topic)).toEqual(["orders"]);
});

test("bench: fails where the records do not reach a reader", async () => {
  const stuck = new Proxy(broker, {
    get: (target, name) => {
      if (name === "consume") return silence;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  const client = connect(stuck);
  await client.createTopic("unread", { partitions: 1 });
  const { signal } = new AbortController();
  const request = { client, topic: "unread", records: 20, valueBytes: 16, rate: 2_000, producer: {}, signal };
  const producing = produce({ ...request, readPatienceMs: 50, onProgress: () => {} });
  await expect(producing).rejects.toThrow("the reader received 0 of 20 records, and no more within 0.05 s");
  await client.deleteTopic("unread");
  await client.close();
});

/** A read that ends when it is stopped, and yields nothing before. */
async function* silence(_request: unknown, { signal }: { readonly signal: AbortSignal }) {
  if (!signal.aborted) await once(signal, "abort");
  yield* [];
}

test("dev: adds nothing to a directory that has topics", async () => {
  const data = await mkdtemp(join(tmpdir(), "logstore-dev-"));
  onTestFinished(() => rm(data, { recursive: true, force: true }));
  const before = await Broker.open(data);
  await before.createTopic({ topic: "mine", partitions: 1 });
  await before.close();
  const child = start(["dev", data, "--port", "0"]);
  let stdout = "";
  for await (const chunk of child.stdout) {
    stdout += chunk;
    if (stdout.includes("What happens:")) break;
  }
  child.kill("SIGINT");
  await once(child, "close");
  expect(stdout).toContain("logstore tail mine");
  expect(stdout).not.toContain("hello");
  const after = await Broker.open(data);
  onTestFinished(() => after.close());
  expect((await after.listTopics()).map(({ topic }) => topic)).toEqual(["mine"]);
});

test("dev: says what to try, and its temporary directory is gone at the end", async () => {
  const child = start(["dev", "--port", "0"]);
  let stdout = "";
  const ready = new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
      if (stdout.includes("What happens:")) resolve();
    });
  });
  await ready;
  const [, address] = /listens on (\S+)/.exec(stdout)!;
  const [, data] = /data in ([^,]+), deleted/.exec(stdout)!;
  const client = connect(address!);
  expect((await client.listTopics()).map(({ topic }) => topic)).toEqual(["hello"]);
  await client.close();
  child.kill("SIGINT");
  const [code] = await once(child, "close");
  expect(code).toBe(0);
  expect(existsSync(data!)).toBe(false);
  expect(stdout).toContain(`export LOGSTORE_SERVER=${address}`);
});

test("serve: takes the options of logstore-server", async () => {
  const child = start(["serve", "--help"]);
  let stdout = "";
  child.stdout.on("data", (chunk) => (stdout += chunk));
  const [code] = await once(child, "close");
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("--retention-ms") });
});

describe("completion", () => {
  const shared = { place: placeOptions, output: outputOptions };
  const texts = (...words: string[]) => candidates(commands, shared, words).texts.map(({ text }) => text);
  const kind = (...words: string[]) => candidates(commands, shared, words).kind;

  test("is made from the definitions", () => {
    expect(texts("exp")).toEqual(["export"]);
    expect(texts("topics", "de")).toEqual(["describe", "delete"]);
    expect(texts("export", "orders", "--for")).toEqual(["--format"]);
    expect(texts("export", "--format", "")).toEqual(["ndjson", "csv", "directory"]);
    expect(texts("export", "--format=c")).toEqual(["--format=csv"]);
    expect(texts("export", "--server", "host:1", "--pro")).toEqual(["--profile"]);
    expect(kind("export", "--server", "host:1", "")).toBe("topic");
    expect(kind("import", "orders", "a.csv", "")).toBe("file");
    expect(kind("check", "-g", "")).toBe("group");
    expect(texts("nothing", "")).toEqual(commands.map(({ name }) => name));
  });

  test.each([
    ["bash", ["-n"]],
    ["zsh", ["-n"]],
    ["fish", ["--no-execute"]],
    ["pwsh", ["-NoProfile", "-Command", "[scriptblock]::Create((Get-Content -Raw $args[0])) > $null"]],
  ] as const)("the script for %s is one that %s reads", async (shell, args) => {
    if (!isThere(shell)) return;
    const directory = await mkdtemp(join(tmpdir(), "logstore-completion-"));
    const file = join(directory, "script");
    await writeFile(file, scripts[shell === "pwsh" ? "powershell" : shell]);
    execFileSync(shell, [...args, file]);
    await rm(directory, { recursive: true });
  });

  test("bash completes a command", async () => {
    if (!isThere("bash")) return;
    const directory = await mkdtemp(join(tmpdir(), "logstore-completion-"));
    await writeFile(
      join(directory, "logstore"),
      `#!/bin/sh\nexec "${process.execPath}" "${fileURLToPath(new URL("../dist/bin.cjs", import.meta.url))}" "$@"\n`,
      { mode: 0o755 },
    );
    const script = `${scripts.bash}\nCOMP_WORDS=(logstore topics de); COMP_CWORD=2; _logstore; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { ...process.env, PATH: `${directory}:${process.env["PATH"]}` };
    expect(execFileSync("bash", ["-c", script], { env, encoding: "utf8" })).toBe("describe\ndelete\n");
    await rm(directory, { recursive: true });
  });
});
