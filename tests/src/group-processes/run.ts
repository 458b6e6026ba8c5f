/**
 * One run of a group of processes that are killed, stopped for longer than their session and
 * restarted, while a producer writes and the server is killed and restarted. Afterwards every
 * acknowledged record must have been delivered, and the first deliveries of each key must be in
 * order.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connect, type LogClient } from "@logstore/client";
import { seededRandom } from "../bytes.ts";
import { eventually } from "../eventually.ts";
import { freePort } from "../free-port.ts";
import { removeDirectory, temporaryDirectory } from "../homes.ts";
import { endsWithParent, ServerProcess } from "../server-process.ts";

const PARTITIONS = 64;
const KEYS = 300;
const SESSION_TIMEOUT_MS = 2_000;

export interface GroupRun {
  readonly seed: number;
  readonly members: number;
  /** Number of times that something happens to a member or to the server. */
  readonly steps: number;
  readonly serverKills: number;
}

export interface GroupOutcome {
  readonly acknowledged: number;
  readonly delivered: number;
  /** Number of repeated deliveries. */
  readonly redelivered: number;
  /** The events, in order. */
  readonly story: readonly string[];
  readonly problems: readonly string[];
}

const memberFile = fileURLToPath(new URL("member.ts", import.meta.url));

export async function runGroup({ seed, members, steps, serverKills }: GroupRun): Promise<GroupOutcome> {
  const random = seededRandom(seed);
  const directory = await temporaryDirectory();
  const logs = await temporaryDirectory();
  const running: ChildProcess[] = [];
  const story: string[] = [];
  const deaths: string[] = [];
  let started = 0;
  const port = await freePort();
  let server = await ServerProcess.start(directory, { port });
  const { address } = server;

  const start = () => {
    const args = [
      "--import",
      endsWithParent,
      memberFile,
      address,
      join(logs, `member-${started++}`),
      String(SESSION_TIMEOUT_MS),
    ];
    const member = spawn(process.execPath, args, { stdio: ["pipe", "ignore", "inherit"] });
    running.push(member);
    member.once("exit", (code) => {
      const at = running.indexOf(member);
      if (at < 0) return;
      running.splice(at, 1);
      deaths.push(`a member ended by itself with ${code}`);
    });
  };
  const any = () => running[Math.floor(random() * running.length)]!;
  const end = async (member: ChildProcess, signal: NodeJS.Signals) => {
    running.splice(running.indexOf(member), 1);
    const exit = once(member, "exit");
    member.kill(signal);
    const [code, killedBy] = await exit;
    if (killedBy === null && code !== 0) deaths.push(`a member ended with ${code} when it was to leave`);
  };
  const restartServer = async () => {
    story.push("server killed");
    await server.kill();
    server = await ServerProcess.start(directory, { port });
  };
  const disturb = async (): Promise<void> => {
    const chance = random();
    if (chance < 0.35) {
      story.push("member killed, another started");
      await end(any(), "SIGKILL");
      start();
    } else if (chance < 0.65) {
      story.push("member stopped beyond its session");
      const member = any();
      member.kill("SIGSTOP");
      await sleep(SESSION_TIMEOUT_MS + 500 + random() * 500);
      member.kill("SIGCONT");
    } else if (chance < 0.85) {
      story.push("member left, another started");
      await end(any(), "SIGTERM");
      start();
    } else {
      story.push("member started");
      start();
    }
  };

  try {
    await using client = connect(address);
    await client.createTopic("t", { partitions: PARTITIONS });
    for (let i = 0; i < members; i++) start();
    await eventually(async () => (await memberCount(client)) === members);
    const writer = new Writer(client);
    const writing = writer.run();
    const killAt = new Set(
      Array.from({ length: serverKills }, (_, i) => Math.floor(((i + 1) * steps) / (serverKills + 1))),
    );
    for (let step = 0; step < steps; step++) {
      if (killAt.has(step)) await restartServer();
      await disturb();
      await sleep(random() * 400);
    }
    writer.stop();
    await writing;
    await eventually(() => isCaughtUp(client));
    for (const member of [...running]) await end(member, "SIGTERM");
    const judged = await judge(logs, writer.acknowledged);
    return { ...judged, problems: [...deaths, ...judged.problems], story };
  } finally {
    for (const member of running) member.kill("SIGKILL");
    await server.kill();
    await Promise.all([removeDirectory(directory), removeDirectory(logs)]);
  }
}

/** Sends continuously at a low rate. The values of each key count up. */
class Writer {
  /** "key value". */
  readonly acknowledged = new Set<string>();
  readonly #client: LogClient;
  #isStopped = false;

  constructor(client: LogClient) {
    this.#client = client;
  }

  async run(): Promise<void> {
    const producer = this.#client.producer("t", { durability: "written" });
    const sends: Promise<void>[] = [];
    for (let i = 0; !this.#isStopped; i++) {
      for (let key = 0; key < KEYS; key += 3) {
        const record = { key: `k${key + (i % 3)}`, value: String(i) };
        sends.push(producer.send(record).then(() => void this.acknowledged.add(`${record.key} ${record.value}`)));
      }
      await sleep(50);
    }
    await Promise.all(sends);
    await producer.close();
  }

  stop(): void {
    this.#isStopped = true;
  }
}

async function memberCount(client: LogClient): Promise<number> {
  return (await client.listGroups())[0]?.memberCount ?? 0;
}

async function isCaughtUp(client: LogClient): Promise<boolean> {
  const { state, partitions } = await client.describeGroup("g");
  return state === "stable" && partitions.length === PARTITIONS && partitions.every(({ lag }) => lag === 0);
}

interface Delivery {
  readonly time: bigint;
  readonly place: string;
  readonly key: string;
  readonly value: string;
}

async function judge(logs: string, acknowledged: ReadonlySet<string>): Promise<Omit<GroupOutcome, "story">> {
  const deliveries: Delivery[] = [];
  for (const file of await readdir(logs)) {
    for (const line of (await readFile(join(logs, file), "utf8")).split("\n")) {
      const [time, partition, offset, key, value] = line.split(" ");
      if (value === undefined) continue;
      deliveries.push({ time: BigInt(time!), place: `${partition}/${offset}`, key: key!, value });
    }
  }
  deliveries.sort((a, b) => (a.time < b.time ? -1 : 1));
  const problems: string[] = [];
  const places = new Set<string>();
  const records = new Set<string>();
  const lastOf = new Map<string, number>();
  for (const { place, key, value } of deliveries) {
    if (places.has(place)) continue;
    places.add(place);
    records.add(`${key} ${value}`);
    const last = lastOf.get(key) ?? -1;
    if (Number(value) <= last) problems.push(`${key}: ${value} was first delivered after ${last}`);
    lastOf.set(key, Number(value));
  }
  for (const record of acknowledged) if (!records.has(record)) problems.push(`${record} was never delivered`);
  return {
    acknowledged: acknowledged.size,
    delivered: places.size,
    redelivered: deliveries.length - places.size,
    problems,
  };
}
