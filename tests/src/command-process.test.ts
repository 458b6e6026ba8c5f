/**
 * The command as a process: signals at any moment, a blocked stderr, and the supported Node
 * versions.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connect } from "@logstore/client";
import { Broker } from "@logstore/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { skipped } from "../../packages/core/test/skipped.ts";
import { freePort } from "./free-port.ts";
import { removeDirectory, temporaryDirectory } from "./homes.ts";
import { bin } from "./server-process.ts";

const LISTENING = /^logstore listening on (.+)$/m;
/**
 * The last signal for which the command installs a handler. Node itself handles SIGTERM from its
 * start.
 */
const SIGHUP_BIT = 1n;

interface Process {
  readonly child: ChildProcess;
  /** The output so far. */
  readonly written: { out: string; err: string };
  /** Resolves to the exit code or the signal, when the output is complete. */
  readonly ended: Promise<number | string>;
  /** Resolves to its address. */
  listening(): Promise<string>;
}

function start(
  args: readonly string[],
  { node = process.execPath, wrap = [] as string[], env = {}, read = true } = {},
): Process {
  const [command, ...rest] = [...wrap, node, bin, ...args] as [string, ...string[]];
  const child = spawn(command, rest, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  const written = { out: "", err: "" };
  child.stdout!.on("data", (bytes) => (written.out += bytes));
  if (read) child.stderr!.on("data", (bytes) => (written.err += bytes));
  // An unread stderr stays open after the exit. Otherwise all that was written has been read, too.
  const ended = once(child, read ? "close" : "exit").then(([code, signal]) => signal ?? code);
  onTestFinished(async () => {
    child.kill("SIGKILL");
    child.stderr!.destroy();
    await ended;
  });
  const listening = async () => {
    for (;;) {
      const address = LISTENING.exec(written.out)?.[1];
      if (address !== undefined) return address;
      if (child.exitCode !== null) throw new Error(`it ended before it listened: ${written.err}`);
      await delay(5);
    }
  };
  return { child, written, ended, listening };
}

/** A data directory that takes several hundred ms to open. */
async function largeDirectory(): Promise<string> {
  const directory = await emptyDirectory();
  const broker = await Broker.open(directory);
  for (let i = 0; i < 40; i++) await broker.createTopic({ topic: `t${i}`, partitions: 20 });
  await broker.close();
  return directory;
}

async function emptyDirectory(): Promise<string> {
  const directory = await temporaryDirectory();
  onTestFinished(() => removeDirectory(directory));
  return join(directory, "data");
}

/** Resolves as soon as the process has installed its signal handlers. */
async function handlesSignals(pid: number): Promise<void> {
  for (;;) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    const caught = /^SigCgt:\s+([0-9a-f]+)$/m.exec(status)?.[1];
    if (caught !== undefined && (BigInt(`0x${caught}`) & SIGHUP_BIT) !== 0n) return;
    await delay(1);
  }
}

async function serves(address: string): Promise<void> {
  await using client = connect(address);
  await client.createTopic(`t-${Math.random().toString(36).slice(2)}`, { partitions: 1 });
}

const onLinux = process.platform === "linux";
/** As in a container: process 1 of a namespace of its own. */
const asProcess1 = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL"];
const canBeProcess1 = spawnSync(asProcess1[0]!, [...asProcess1.slice(1), "true"]).status === 0;
if (onLinux && !canBeProcess1) skipped("process 1 of a container (namespaces cannot be made here)");

describe.runIf(onLinux)("a signal while it starts", () => {
  test("SIGTERM ends it with exit code 0, before it serves anything", async () => {
    const { child, written, ended } = start(["--data", await largeDirectory(), "--port", "0"]);
    await handlesSignals(child.pid!);
    expect(written.out).toBe("");
    child.kill("SIGTERM");
    expect([await ended, written.out]).toEqual([0, ""]);
  });

  test.runIf(canBeProcess1)("SIGTERM also ends it when it is process 1 of a container", async () => {
    const { child, written, ended } = start(["--data", await largeDirectory(), "--port", "0"], { wrap: asProcess1 });
    const children = `/proc/${child.pid}/task/${child.pid}/children`;
    let pid = 0;
    while (pid === 0) pid = Number((await readFile(children, "utf8")).trim());
    await handlesSignals(pid);
    expect(written.out).toBe("");
    process.kill(pid, "SIGTERM");
    expect([await ended, written.out]).toEqual([0, ""]);
  });

  test("SIGHUP is deferred until it serves", async () => {
    const { child, written, listening } = start(["--data", await largeDirectory(), "--port", "0"]);
    await handlesSignals(child.pid!);
    child.kill("SIGHUP");
    await serves(await listening());
    while (!written.err.includes("the configuration was read again")) await delay(5);
  });

  test("SIGTERM right after the listening message stops it normally", async () => {
    const { child, written, ended, listening } = start(["--data", await emptyDirectory(), "--port", "0"]);
    await listening();
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(written.err).toContain('"msg":"closed"');
  });
});

describe.runIf(onLinux)("threads for file operations", () => {
  const threadsOf = (pid: number) => readdirSync(`/proc/${pid}/task`).length;

  test("128, unless the environment sets another number", async () => {
    const many = start(["--data", await emptyDirectory(), "--port", "0"]);
    await many.listening();
    expect(threadsOf(many.child.pid!)).toBeGreaterThan(128);
    const env = { UV_THREADPOOL_SIZE: "8" };
    const few = start(["--data", await emptyDirectory(), "--port", "0"], { env });
    await few.listening();
    expect(threadsOf(few.child.pid!)).toBeLessThan(64);
  });
});

describe.runIf(onLinux)("a stderr that accepts no output", () => {
  test("a full disk costs log lines, which are counted", async () => {
    const [data, metricsPort] = [await emptyDirectory(), await freePort()];
    const wrap = ["sh", "-c", 'exec "$@" 2>/dev/full', "sh"];
    const args = ["--data", data, "--port", "0", "--metrics-port", String(metricsPort)];
    const { child, ended, listening } = start(args, { wrap });
    const address = await listening();
    await serves(address);
    for (let i = 0; i < 3; i++) {
      child.kill("SIGHUP");
      await delay(50);
      await serves(address);
    }
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    expect(Number(/^logstore_log_dropped_lines_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(1);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  });

  test("a pipe that nobody reads costs log lines, and does not block the process", async () => {
    const env = { [`LOGSTORE_${"X".repeat(5_000)}`]: "" }; // each reload logs a line of 5 kB
    const { child, ended, listening } = start(["--data", await emptyDirectory(), "--port", "0"], { env, read: false });
    const address = await listening();
    for (let i = 0; i < 60; i++) {
      child.kill("SIGHUP");
      await delay(10);
    }
    await serves(address);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  });
});

const versions = fileURLToPath(new URL("../node-versions/node_modules/", import.meta.url));
const hasVersions = existsSync(versions);
if (!hasVersions) skipped("other Node versions (npm ci --prefix tests/node-versions)");

describe.runIf(hasVersions)("other Node versions", () => {
  const nodeOf = (name: string) => join(versions, name, "bin/node");

  test.for(["node-lowest", "node-newest"])("%s runs the command and the packages", async (name) => {
    const node = nodeOf(name);
    const { child, written, ended, listening } = start(["--data", await emptyDirectory(), "--port", "0"], { node });
    const program = fileURLToPath(new URL("node-versions-program.mjs", import.meta.url));
    const user = spawn(node, [program, await listening()], { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    user.stdout.on("data", (bytes) => (said += bytes));
    user.stderr.on("data", (bytes) => (said += bytes));
    expect([(await once(user, "close"))[0], said]).toEqual([
      0,
      "embedded a b c, served a b c, committed 1, closed loop run hook, 250 streams beside 2 topics\n",
    ]);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    for (const line of written.err.trim().split("\n"))
      expect(JSON.parse(line)).toMatchObject({ level: expect.stringMatching(/^(info|warn)$/) });
  });

  test("a version that is too old is refused in one line, before anything is loaded", async () => {
    const { written, ended } = start(["--help"], { node: nodeOf("node-too-old") });
    expect(await ended).toBe(1);
    expect(written).toEqual({ out: "", err: "logstore-server: Node 22.14.0 is too old: use Node 22.15 or newer\n" });
  });
});
