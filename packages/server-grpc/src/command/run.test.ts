import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CorruptPartitionError, LockedError, StorageFailedError } from "@logstore/codec";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { FakeLog } from "../../test/fake-log.js";
import { ForeignClient, failure } from "../../test/foreign-client.js";
import { temporaryDirectory } from "../../test/temporary-directory.js";
import { scalarKeys } from "./config-keys.js";
import type { ServerConfig } from "./config-schema.js";
import { run } from "./run.js";
import type { ServedBroker, Surroundings } from "./surroundings.js";

type Recovery = ServedBroker["recovery"];
const nothingFound: Recovery = { partitions: [], unreadable: [], unreadableSnapshots: [], groups: undefined };

interface Log {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

function surroundings(
  openBroker: () => Promise<FakeLog & Partial<ServedBroker>> = async () => new FakeLog(),
  { environment = {}, input = "" }: { environment?: Record<string, string>; input?: string } = {},
) {
  const out: string[] = [];
  const logs: Log[] = [];
  const reloads: (() => void)[] = [];
  const err: string[] = [];
  const events: string[] = [];
  const listening = Promise.withResolvers<string>();
  const stop = new AbortController();
  const commands: ServerConfig[] = [];
  const around: Surroundings = {
    environment,
    readInput: async () => input,
    logSink: (line) => void logs.push(JSON.parse(line)),
    onReload: (reload) => void reloads.push(reload),
    async openBroker(config) {
      commands.push(config);
      const close = async () => void events.push("closed");
      const api = await openBroker();
      return Object.assign(api, { close: api.close ?? close, recovery: api.recovery ?? nothingFound });
    },
    print(line) {
      out.push(line);
      listening.resolve(line);
    },
    printError: (line) => void err.push(line),
    stopping: stop.signal,
  };
  const reload = () => reloads[0]!();
  return { around, out, err, events, commands, logs, listening: listening.promise, stop: () => stop.abort(), reload };
}

test("serves until it is stopped, then closes the broker", async () => {
  const { around, out, err, events, commands, listening, stop } = surroundings();
  const exit = run(["--data", "d", "--port", "0", "--durability", "written", "--segment-bytes", "4194304"], around);
  const address = /^logstore listening on (127\.0\.0\.1:\d+)$/.exec(await listening)?.[1];
  const client = new ForeignClient(address ?? "");
  expect(await client.call("ListTopics", {})).toEqual({ topics: [] });
  client.close();
  expect(events).toEqual([]);
  stop();
  expect(await exit).toBe(0);
  expect([out.length, err, events]).toEqual([1, [], ["closed"]]);
  expect(commands).toMatchObject([{ data: "d", durability: "written", segmentBytes: 4_194_304 }]);
});

test("an error on start is one line with a code", async () => {
  const { around, out, err } = surroundings(() => Promise.reject(new LockedError("d is\nin use")));
  expect(await run(["--data", "d", "--port", "0"], around)).toBe(1);
  expect([out, err]).toEqual([[], ["logstore-server: LOCKED: d is in use"]]);
});

test("a port in use is reported in one line, and nothing is opened or created", async () => {
  const first = surroundings();
  const exit = run(["--data", "d", "--port", "0"], first.around);
  const port = (await first.listening).split(":")[1] ?? "";
  const second = surroundings();
  expect(await run(["--data", "d", "--port", port], second.around)).toBe(1);
  expect(second.err).toEqual([expect.stringMatching(/^logstore-server: .*EADDRINUSE.*$/)]);
  expect([second.commands, second.events]).toEqual([[], []]);
  first.stop();
  expect(await exit).toBe(0);
});

test.for([
  [[], "--data"],
  [["--data", "d", "--port", "65536"], "65536"],
  [["--data", "d", "--port", ""], "--port"],
  [["--data", "d", "--segment-bytes", "1e6"], "1e6"],
  [["--data", "d", "--durability", "maybe"], "maybe"],
  [["--data", "d", "--host", "0.0.0.0"], "--insecure"],
  [["--data", "d", "--host", "127.example.org"], "--insecure"],
  [["--data", "d", "--colour"], "--colour"],
  [["--data", "d", "extra"], "extra"],
] as const)("bad usage is told in one line: %j", async ([args, hint]) => {
  const { around, out, err, commands } = surroundings();
  expect(await run(args, around)).toBe(2);
  expect([out, commands, err.length]).toEqual([[], [], 1]);
  expect(err[0]).toMatch(/^logstore-server: .*$/);
  expect(err[0]).toContain(hint);
});

test("help lists every flag, and exits with 0", async () => {
  const { around, out, commands } = surroundings();
  expect(await run(["--help"], around)).toBe(0);
  expect([out.length, commands]).toEqual([1, []]);
  for (const { flag } of scalarKeys) expect(out[0]).toMatch(new RegExp(`--(no-)?${flag}\\b`));
});

test.for([
  ["-h", /^Serves a LogStore data directory/],
  ["--version", /^\d+\.\d+\.\d+$/],
  ["-V", /^\d+\.\d+\.\d+$/],
] as const)("%s explains and starts nothing", async ([flag, text]) => {
  const { around, out, err, commands } = surroundings();
  expect(await run([flag], around)).toBe(0);
  expect([out, err, commands]).toEqual([[expect.stringMatching(text)], [], []]);
});

test("the example in the help is valid", async () => {
  const { around, out } = surroundings();
  await run(["--help"], around);
  const [, example] = /^ {2}logstore-server (--data .*=?.*\d)$/m.exec(out[0]!) ?? [];
  const { around: again, err } = surroundings();
  expect([await run([...example!.split(" "), "--check"], again), err]).toEqual([0, []]);
});

test("unreadable certificates and keys make the start and the check fail before anything is opened", async () => {
  const flags = ["--tls-cert-file", "/missing/cert.pem", "--tls-key-file", "/missing/key.pem", "--port", "0"];
  for (const more of [[], ["--check"]]) {
    const { around, err, commands } = surroundings();
    expect(await run(["--data", "d", ...flags, ...more], around)).toBe(1);
    expect([err, commands]).toEqual([[expect.stringContaining("/missing/cert.pem")], []]);
  }
});

test("a stop during opening closes the data again, and nothing is served", async () => {
  const opening = Promise.withResolvers<FakeLog>();
  const { around, out, events, stop } = surroundings(() => opening.promise);
  const exit = run(["--data", "d", "--port", "0"], around);
  stop();
  opening.resolve(new FakeLog());
  expect([await exit, out, events]).toEqual([0, [], ["closed"]]);
});

test("a check validates the configuration and starts nothing", async () => {
  const good = surroundings();
  expect(await run(["--data", "d", "--check"], good.around)).toBe(0);
  expect([good.out, good.err, good.commands]).toEqual([["the configuration makes sense"], [], []]);
  const warned = surroundings();
  expect(await run(["--data", "d", "--check"], { ...warned.around, environment: { LOGSTORE_DATUM: "d" } })).toBe(0);
  expect(warned.err).toEqual([expect.stringContaining("LOGSTORE_DATUM")]);
  const bad = surroundings();
  expect(await run(["--data", "d", "--check", "--port", "x"], bad.around)).toBe(2);
});

test("the log contains the start, the findings, and the end", async () => {
  const damage = new StorageFailedError("a disk failed", { partition: 1 });
  const unreadable = { directory: "d/topics/1", topic: "u", error: new CorruptPartitionError("no store file") };
  const tornTail = { file: "0.log", byte: 10, length: 5, savedAs: "0.torn", laterSavedAs: [] };
  const recovery: Recovery = {
    partitions: [
      { topic: "t", partition: 0, tornTail, damage: undefined },
      { topic: "t", partition: 1, tornTail: undefined, damage },
    ],
    unreadable: [unreadable],
    unreadableSnapshots: [{ ...unreadable, snapshot: "s" }],
    groups: new CorruptPartitionError("the groups' log"),
  };
  const { around, logs, listening, stop } = surroundings(async () => Object.assign(new FakeLog(), { recovery }));
  const exit = run(["--data", "d", "--port", "0"], around);
  const line = await listening;
  stop();
  expect(await exit).toBe(0);
  expect(logs).toMatchObject([
    { level: "warn", topic: "t", partition: 0, tornTail: { file: "0.log", length: 5 } },
    { level: "error", topic: "t", partition: 1, err: { code: "STORAGE_FAILED", message: "a disk failed" } },
    { level: "error", topic: "u", directory: "d/topics/1", err: { code: "CORRUPT_PARTITION" } },
    { level: "error", topic: "u", snapshot: "s", directory: "d/topics/1", err: { code: "CORRUPT_PARTITION" } },
    { level: "error", msg: "consumer groups are not served", err: { code: "CORRUPT_PARTITION" } },
    { level: "info", msg: "listening", data: "d", durability: "flushed", tls: false, access: false },
    { level: "info", drainTimeoutMs: 10_000 },
    { level: "info", msg: "all calls are over" },
    { level: "info", msg: "closed" },
  ]);
  expect(line).toContain(String(logs[5]!["address"]));
});

test("serves while topics are being opened, and logs when all are open", async () => {
  const opened = Promise.withResolvers<void>();
  const progress = { topics: 3, done: 1 };
  const { around, logs, listening, stop } = surroundings(async () =>
    Object.assign(new FakeLog(), { opened: opened.promise, progress }),
  );
  const exit = run(["--data", "d", "--port", "0"], around);
  await listening;
  progress.done = 3;
  opened.resolve();
  await expect.poll(() => logs.at(-1)).toMatchObject({ msg: "all topics are open", topics: 3 });
  stop();
  expect(await exit).toBe(0);
  expect(logs.map(({ msg }) => msg).slice(0, 2)).toEqual(["listening", "all topics are open"]);
});

test("if the data cannot be opened, the server exits with 1", async () => {
  const opened = Promise.withResolvers<void>();
  opened.promise.catch(() => {});
  const { around, logs, events, listening } = surroundings(async () =>
    Object.assign(new FakeLog(), { opened: opened.promise, progress: { topics: 2, done: 1 } }),
  );
  const exit = run(["--data", "d", "--port", "0"], around);
  await listening;
  opened.reject(new StorageFailedError("a disk failed"));
  expect(await exit).toBe(1);
  expect(events).toEqual(["closed"]);
  expect(logs).toContainEqual(expect.objectContaining({ level: "error", msg: "the data could not be opened" }));
});

test("the cause of a peer's internal error is in the log", async () => {
  const api = Object.assign(new FakeLog(), { listTopics: () => Promise.reject(new TypeError("a bug")) });
  const { around, logs, listening, stop } = surroundings(async () => api);
  const exit = run(["--data", "d", "--port", "0"], around);
  const client = new ForeignClient((await listening).split(" ").at(-1)!);
  await failure(client.call("ListTopics", {}));
  client.close();
  stop();
  await exit;
  expect(logs).toContainEqual(
    expect.objectContaining({ level: "error", err: expect.objectContaining({ message: "a bug" }) }),
  );
});

test("if the data cannot be closed, the exit code is 1, and the log has the reason", async () => {
  const close = () => Promise.reject(new StorageFailedError("the disk is full"));
  const { around, err, logs, listening, stop } = surroundings(async () => Object.assign(new FakeLog(), { close }));
  const exit = run(["--data", "d", "--port", "0"], around);
  await listening;
  stop();
  expect(await exit).toBe(1);
  expect(err).toEqual([]);
  expect(logs.at(-1)).toMatchObject({ level: "error", err: { code: "STORAGE_FAILED", message: "the disk is full" } });
});

test("a reload reports what is invalid or needs a restart, and has no other effect", async () => {
  const file = join(temporaryDirectory(), "logstore.yaml");
  writeFileSync(file, "data: d\nlisten: { port: 0 }\n");
  const { around, logs, listening, stop, reload } = surroundings();
  const exit = run(["--config", file], around);
  await listening;
  reload();
  await expect.poll(() => logs.at(-1)).toMatchObject({ level: "info", applied: [] });
  writeFileSync(file, "data: d\nlisten: { port: 0 }\nretentionMs: 5\n");
  reload();
  await expect.poll(() => logs.at(-1)).toMatchObject({ level: "warn", keys: ["retentionMs"] });
  writeFileSync(file, "data: d\nlisten: { prot: 0 }\n");
  reload();
  const problems = [`${file}:2:11: there is no key listen.prot (did you mean "port"?)`];
  await expect.poll(() => logs.at(-1)).toMatchObject({ level: "error", problems });
  stop();
  expect(await exit).toBe(0);
});

test("a new token is printed with its entry, and the token command derives the same entry from it", async () => {
  const made = surroundings();
  expect(await run(["new-token", "ada"], made.around)).toBe(0);
  const [token, , ...entry] = made.out[0]!.split("\n");
  expect(parse(entry.join("\n"))).toEqual([
    { principal: "ada", sha256: createHash("sha256").update(token!).digest("hex") },
  ]);
  expect(Buffer.from(token!, "base64url")).toHaveLength(32);
  const hashed = surroundings(undefined, { input: `${token}\n` });
  expect(await run(["hash-token", "ada"], hashed.around)).toBe(0);
  expect(hashed.out[0]).toBe(entry.join("\n"));
  const none = surroundings(undefined, { input: "\n" });
  expect(await run(["hash-token"], none.around)).toBe(2);
});

test("health asks the configured server", async () => {
  const server = surroundings();
  const exit = run(["--data", "d", "--port", "0"], server.around);
  const port = (await server.listening).split(":")[1]!;
  const asking = surroundings(undefined, { environment: { LOGSTORE_LISTEN_PORT: port } });
  expect(await run(["health"], asking.around)).toBe(0);
  expect(await run(["health", "topic/none"], asking.around)).toBe(1);
  expect(asking.out).toEqual(["SERVING"]);
  server.stop();
  await exit;
  expect(await run(["health"], asking.around)).toBe(1);
  expect(asking.err).toHaveLength(2);
});
