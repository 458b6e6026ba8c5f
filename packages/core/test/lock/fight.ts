/**
 * Two writers of one directory, in network and mount namespaces of their own, each of which tries
 * to open it forever; the owner is repeatedly killed or stopped for a while. Afterwards every
 * acknowledged record is in the log at the offset of its ack.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { LogStore } from "../../src/index.js";
import type { Random } from "../random.js";

const WRITER = `
  import { LogStore } from "@logstore/core";
  import { writeSync } from "node:fs";
  const [directory, name] = process.argv.slice(1);
  const say = (line) => writeSync(1, line + "\\n");
  for (let i = 0; ; ) {
    let store;
    try {
      store = await LogStore.open(directory);
    } catch (error) {
      if (error.code !== "LOCKED") say("error " + error.code + " " + error.message);
      await new Promise((resolve) => setTimeout(resolve, 3));
      continue;
    }
    say("open");
    try {
      for (let n = 0; n < 400; n++, i++) {
        const { offset } = await store.append(null, name + "-" + i);
        say("ack " + offset + " " + name + "-" + i);
      }
    } catch (error) {
      say("error " + error.code + " " + error.message);
    }
    await store.close();
    say("closed");
  }`;

export const canUnshare = spawnSync("unshare", ["-n", "-m", "true"]).status === 0;

export interface Fight {
  readonly acknowledged: number;
  readonly owners: number;
  /** How often an owner was killed or stopped. */
  readonly hits: number;
  /** Unexpected output of the writers, with their names. */
  readonly errors: readonly string[];
  /** Acknowledged records that are not at their offset. */
  readonly lost: readonly string[];
}

export async function fight(directory: string, rounds: number, random: Random): Promise<Fight> {
  const acks = new Map<number, string>();
  const errors: string[] = [];
  let owners = 0;
  let hits = 0;
  let started = 0;
  /** @param slot the second writer always runs in namespaces of its own */
  const start = (slot: number) => {
    const name = `w${started++}`;
    const wrap = canUnshare && slot === 1 ? ["unshare", "-n", "-m"] : [];
    const [command, ...args] = [...wrap, process.execPath, "--input-type=module", "--eval", WRITER, directory, name];
    const child = spawn(command!, args, { cwd: fileURLToPath(new URL("../../", import.meta.url)) });
    const writer = { child, isOwner: false, acks: 0 };
    let rest = "";
    child.stdout.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const [what, offset, value] = line.split(" ");
        if (what === "open") {
          writer.isOwner = true;
          owners++;
        } else if (what === "closed") writer.isOwner = false;
        else if (what === "ack" && !acks.has(Number(offset))) {
          acks.set(Number(offset), value!);
          writer.acks++;
        } else errors.push(`${name}: ${line}`);
      }
    });
    child.stderr.on("data", (chunk: Buffer) => errors.push(`${name}: ${chunk}`));
    return writer;
  };
  const writers = [start(0), start(1)];
  for (let round = 0; round < rounds; round++) {
    const until = Date.now() + 30_000;
    while (!writers.some(({ isOwner }) => isOwner) && Date.now() < until) await delay(1);
    // If both could write, both would have enough time to do so and lose data.
    const before = writers.map(({ acks }) => acks);
    const wanted = random.whole(0, 30);
    const isBusy = () => writers.some(({ acks }, i) => acks - before[i]! >= wanted);
    for (const until = Date.now() + 2000; !isBusy() && Date.now() < until; ) await delay(1);
    const victim = writers.findIndex(({ isOwner }) => isOwner);
    if (victim < 0) continue; // it has just been closed
    hits++;
    const { child } = writers[victim]!;
    if (random.whole(0, 2) === 0) {
      child.kill("SIGSTOP");
      await delay(random.whole(0, 59));
      child.kill("SIGCONT");
    } else {
      await kill(child);
      writers[victim] = start(victim);
    }
  }
  await Promise.all(writers.map(({ child }) => kill(child)));
  const lost = await missing(directory, acks);
  return { acknowledged: acks.size, owners, hits, errors, lost };
}

/** Its remaining output is read, too. */
async function kill(child: ChildProcess): Promise<void> {
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGKILL");
  await closed;
}

async function missing(directory: string, acks: ReadonlyMap<number, string>): Promise<string[]> {
  const store = await LogStore.open(directory);
  const found = new Map<number, string>();
  for await (const { offset, value } of store.read(0)) found.set(offset, Buffer.from(value).toString());
  await store.close();
  return [...acks]
    .filter(([offset, value]) => found.get(offset) !== value)
    .map(([offset, value]) => `${offset} ${value}`);
}
