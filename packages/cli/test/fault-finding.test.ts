/** Follows docs/fault-finding.md step by step, with the files and commands of the page. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { logstore } from "./command.js";
import { type ServedBroker, serveBroker } from "./served-broker.js";

const page = fileURLToPath(new URL("../../../docs/fault-finding.md", import.meta.url));
const PATIENCE = { timeout: 30_000, interval: 100 };

interface Block {
  /** "sh", "js billing.mjs" */
  readonly info: string;
  readonly text: string;
}

let blocks: readonly Block[];
let directory: string;
let served: ServedBroker;
let billing: ChildProcess | undefined;
let charged = "";

beforeAll(async () => {
  const text = await readFile(page, "utf8");
  blocks = Array.from(text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm), ([, info, text]) => ({ info: info!, text: text! }));
  // Within the package, so that the program finds the client.
  directory = await mkdtemp(fileURLToPath(new URL("fault-finding-", import.meta.url)));
  served = await serveBroker();
});

afterAll(async () => {
  await stop();
  await served?.close();
  await rm(directory, { recursive: true, force: true });
});

const block = (info: string): string => blocks.find((each) => each.info === info)!.text;

/** The commands of the page, in its order. */
function commands(): string[] {
  return blocks.filter(({ info }) => info === "sh").flatMap(({ text }) => text.trim().split("\n"));
}

async function run(line: string) {
  const args = line
    .replace(/^logstore /, "")
    .replace("orders.ndjson", join(directory, "orders.ndjson"))
    .split(" ");
  const { stdout, stderr, code } = await logstore(args, { env: { LOGSTORE_SERVER: served.address } });
  expect({ line, code, stderr }).toMatchObject({ line, code: 0 });
  return stdout;
}

/** Removes widths and times, which differ from run to run. */
function loose(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z/g, "TIME")
    .replaceAll(/"timestamp":\d+/g, '"timestamp":0')
    .replaceAll(/\b[\d.]+ (ms|s|m)( \d+ s)?\b/g, "DURATION")
    .replaceAll(/ +/g, " ")
    .trim();
}

/** The output that the page shows after a command. */
function shown(line: string): string {
  const at = blocks.findIndex(({ info, text }) => info === "sh" && text.includes(line));
  const next = blocks[at + 1]!;
  expect(next.info).toBe("text");
  return loose(next.text);
}

async function start(program: string): Promise<void> {
  await stop();
  await writeFile(join(directory, "billing.mjs"), program);
  charged = "";
  billing = spawn(process.execPath, ["billing.mjs"], {
    cwd: directory,
    env: { ...process.env, LOGSTORE_SERVER: served.address },
    stdio: ["ignore", "pipe", "inherit"],
  });
  billing.stdout!.on("data", (chunk) => (charged += chunk));
}

async function stop(): Promise<void> {
  if (billing === undefined || billing.exitCode !== null) return;
  const exited = once(billing, "exit");
  billing.kill("SIGTERM");
  await exited;
}

test("the lag rises, its cause is found and mended, and no order is lost", { timeout: 120_000 }, async () => {
  const [importOrders, top, lag, describe, readFirst, readKey, lagAgain, list, show, replay] = commands() as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  await writeFile(join(directory, "orders.ndjson"), block("ndjson orders.ndjson"));
  expect(loose(await run(importOrders))).toBe(shown(importOrders));

  const program = block("js billing.mjs");
  await start(program);
  await expect.poll(() => charged, PATIENCE).toContain("order 6");
  await expect.poll(async () => loose(await run(lag)), PATIENCE).toBe(shown(lag));
  expect(loose(await run(`${top} --interval 50ms`))).toBe(shown(top));
  expect(await run(describe)).toMatch(/orders/);
  expect(loose(await run(readFirst))).toBe(shown(readFirst));
  expect(loose(await run(readKey))).toBe(shown(readKey));
  expect(charged).not.toContain("order 2");
  expect(charged).not.toContain("order 5");

  const parking = program.replace(/^ {2}retry: .*\n/m, block("js retry"));
  expect(parking).not.toBe(program);
  await start(parking);
  await expect.poll(() => charged, PATIENCE).toContain("order 5");
  const parked = async () => loose(`${await run(lagAgain)}\n${await run(list)}`).replaceAll(/\n+/g, "\n");
  await expect.poll(parked, PATIENCE).toBe(shown(list).replaceAll(/\n+/g, "\n"));
  expect(await run(show)).toContain("amount is no number");

  const mended = parking.replace(/^function charge[\s\S]*?^}\n/m, block("js charge"));
  expect(mended).not.toBe(parking);
  await start(mended);
  expect(loose(await run(replay))).toBe(shown(replay));
  await expect.poll(() => charged, PATIENCE).toBe("charged 12.5 for order 2\n");
  await expect.poll(() => run(lag), PATIENCE).toMatch(/ 0 +-/);
  expect(await run(list)).toBe("");
});
