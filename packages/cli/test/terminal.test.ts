/**
 * The display in a terminal, and the terminal's state after the command. Uses tmux as the terminal.
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "@logstore/client";
import { serve } from "@logstore/server-grpc";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { isThere } from "./foreign.js";
import { type ServedBroker, serveBroker } from "./served-broker.js";

const bin = fileURLToPath(new URL("../dist/bin.cjs", import.meta.url));
const hasTmux = isThere("tmux", ["-V"]);
/** A process starts slowly on a busy machine. */
const PATIENCE = { timeout: 30_000, interval: 100 };

/** A terminal of 90 columns and 20 lines that runs a shell. */
class Terminal {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
    this.#tmux("new-session", "-d", "-x", "90", "-y", "20", "env PS1='$ ' sh");
  }

  #tmux(...args: string[]): string {
    return execFileSync("tmux", ["-S", this.#socket, "-f", "/dev/null", ...args], { encoding: "utf8" });
  }

  type(line: string): void {
    this.#tmux("send-keys", "-l", line);
    this.#tmux("send-keys", "Enter");
  }

  press(key: string): void {
    this.#tmux("send-keys", key);
  }

  resize(columns: number, lines: number): void {
    this.#tmux("resize-window", "-x", String(columns), "-y", String(lines));
  }

  get text(): string {
    return this.#tmux("capture-pane", "-p");
  }

  /**
   * The terminal's state: whether the alternate screen is active, the cursor is visible and lines
   * wrap.
   */
  get state(): string {
    return this.#tmux("display", "-p", "alternate #{alternate_on} cursor #{cursor_flag} wrap #{wrap_flag}").trim();
  }

  close(): void {
    this.#tmux("kill-server");
  }
}

const IN_SHELL = "alternate 0 cursor 1 wrap 1";

describe.skipIf(!hasTmux)("in a terminal", () => {
  let served: ServedBroker;
  let directory: string;
  let shell: Terminal;

  beforeAll(async () => {
    served = await serveBroker();
    directory = await mkdtemp(join(tmpdir(), "logstore-terminal-"));
    const client = connect(served.broker);
    for (const topic of ["orders", "payments"]) {
      await client.createTopic(topic, { partitions: 1 });
      await client.producer(topic).sendMany(Array.from({ length: topic.length }, () => ({ value: "v" })));
    }
    await client.close();
    shell = new Terminal(join(directory, "tmux"));
    shell.type(`alias logstore='${process.execPath} ${bin}'; export LOGSTORE_SERVER=${served.address}; clear`);
  });

  afterAll(async () => {
    shell?.close();
    await served?.close();
    await rm(directory, { recursive: true, force: true });
  });

  const topScreen = () => expect.poll(() => shell.text, PATIENCE);

  async function isLeftAsItWas(): Promise<void> {
    await expect.poll(() => shell.state, PATIENCE).toBe(IN_SHELL);
    shell.type("clear; stty -a | grep -o ' -*icanon\\| -*echo ' | tr -d ' \\n'; echo .");
    await expect.poll(() => shell.text, PATIENCE).toContain("icanonecho.");
    shell.type("clear");
  }

  test("top: sorts, follows the size of the screen, and q leaves the terminal as it was", async () => {
    shell.type("logstore top -i 300ms");
    await topScreen().toContain("by rate");
    expect(shell.text).toMatch(/orders +1 +6 +0/);
    expect(shell.state).toBe("alternate 1 cursor 0 wrap 0");
    shell.press("s");
    await topScreen().toContain("by name");
    shell.resize(50, 12);
    await topScreen().toContain("q quit");
    expect(shell.text.trimEnd().split("\n")).toHaveLength(12);
    shell.resize(90, 20);
    shell.press("q");
    await isLeftAsItWas();
  });

  test("top: keys do not wait for a server that does not answer", async () => {
    let isStuck = false;
    const { broker } = served;
    const stuck = new Proxy(broker, {
      get: (target, name) => {
        if (name === "listTopics" && isStuck) return () => new Promise(() => {});
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
    const server = await serve(stuck, { port: 0, drainTimeoutMs: 0 });
    onTestFinished(() => server.stop());
    for (const key of ["q", "C-c"]) {
      isStuck = false;
      shell.type(`logstore top -i 300ms --server ${server.address}; echo "it ended"`);
      await topScreen().toContain("by rate");
      isStuck = true;
      await new Promise((resolve) => setTimeout(resolve, 600)); // a call is under way
      shell.press("s");
      await topScreen().toContain("by name");
      shell.press(key);
      // Sooner than the call, which takes half a minute.
      await expect.poll(() => shell.text, { ...PATIENCE, timeout: 15_000 }).toContain("it ended");
      await isLeftAsItWas();
    }
  });

  test("top: Ctrl-C and SIGTERM leave the terminal as it was", async () => {
    shell.type("logstore top -i 300ms");
    await topScreen().toContain("q quit");
    shell.press("C-c");
    await isLeftAsItWas();
    const pidFile = join(directory, "pid");
    shell.type(`sh -c 'echo $$ > ${pidFile}; exec ${process.execPath} ${bin} top'`);
    await topScreen().toContain("q quit");
    process.kill(Number(await readFile(pidFile, "utf8")), "SIGTERM");
    await isLeftAsItWas();
  });

  test("import: a bar with the rate and the time left, and nothing of it at the end", async () => {
    const file = join(directory, "records.ndjson");
    await writeFile(file, `${JSON.stringify({ value: "v".repeat(200) })}\n`.repeat(150_000));
    shell.type(`logstore import orders ${file}`);
    await expect
      .poll(() => shell.text, { ...PATIENCE, interval: 20 })
      .toMatch(/Importing orders +█+░* +\d+ % +[\d.]+ [KM]iB of/);
    await expect.poll(() => shell.text, PATIENCE).toContain("imported 150,000 records into orders");
    expect(shell.text).not.toContain("░");
    onTestFinished(() => shell.type("clear"));
  });
});
