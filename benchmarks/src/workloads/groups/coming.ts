/** The effect of a joining member on the others, and how long a dead member's partitions wait. */
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type GroupDescription, type LogClient } from "@logstore/client";
import type { Deliveries, WatchingMemberTasks } from "../../processes/programs/watching-member.ts";
import { Worker } from "../../processes/worker.ts";
import { figure, type Result } from "../../statistics/result.ts";
import { groupWhen } from "./group-when.ts";

const TOPIC = "coming";
const GROUP = "coming";
const PARTITIONS = 16;
const MEMBERS = 4;
const SESSION_TIMEOUT_MS = 1_000;
/** Interval at which a record is sent to each partition. */
const PRODUCE_INTERVAL_MS = 5;
/** How long a group is observed while nothing happens, and after it has become stable again. */
const WATCH_MS = 1_000;

interface Member {
  readonly name: string;
  readonly worker: Worker<WatchingMemberTasks>;
}

/** Results of one round, in ms. */
interface Round {
  readonly quietPause: number;
  readonly moved: number;
  readonly joinPause: number;
  readonly handOver: number;
  readonly failover: number;
}

export async function coming(address: string, rounds: number): Promise<Result[]> {
  const client = connect(address);
  const members: Member[] = [];
  await client.createTopic(TOPIC, { partitions: PARTITIONS });
  const producer = client.producer(TOPIC);
  const produce = () => {
    for (let partition = 0; partition < PARTITIONS; partition++) void producer.send({ partition, value: "x" });
  };
  const producing = setInterval(produce, PRODUCE_INTERVAL_MS);
  try {
    for (let i = 0; i < MEMBERS; i++) await join(members, await newMember(address));
    await shares(client, MEMBERS);
    const all: Round[] = [];
    for (let i = 0; i <= rounds; i++) all.push(await round(client, members, await newMember(address)));
    return results(all.slice(1));
  } finally {
    clearInterval(producing);
    await Promise.all(members.map(({ worker }) => worker.kill()));
    await client.close();
  }
}

/** A member joins four others, and then one of those is killed, so that four remain. */
async function round(client: LogClient, members: Member[], newcomer: Member): Promise<Round> {
  await watch(members);
  await sleep(WATCH_MS);
  const quiet = await deliveries(members);
  const quietPause = Math.max(...quiet.values().flatMap((seen) => seen.values().map((one) => one.longestPauseMs)));

  const before = await shares(client, MEMBERS);
  await watch(members);
  await join(members, newcomer);
  const after = await shares(client, MEMBERS + 1);
  await sleep(WATCH_MS);
  const joined = await deliveries(members);
  const moved = [...before.keys()].filter((partition) => before.get(partition) !== after.get(partition));
  const pauses = [...before.keys()]
    .filter((partition) => !moved.includes(partition))
    .map((partition) => joined.get(before.get(partition)!)!.get(partition)!.longestPauseMs);
  const handOvers = moved.map((partition) => {
    const [from, to] = [before, after].map((owners) => joined.get(owners.get(partition)!)!.get(partition)!);
    return to!.firstAt - from!.lastAt;
  });

  const { name: victim, worker } = members.shift()!;
  const orphaned = [...after.keys()].filter((partition) => after.get(partition) === victim);
  await watch(members);
  const killedAt = performance.timeOrigin + performance.now();
  await worker.kill();
  const heirs = await shares(client, MEMBERS);
  await sleep(WATCH_MS);
  const inherited = await deliveries(members);
  const failovers = orphaned.map(
    (partition) => inherited.get(heirs.get(partition)!)!.get(partition)!.firstAt - killedAt,
  );
  return {
    quietPause,
    moved: moved.length,
    joinPause: Math.max(...pauses),
    handOver: Math.max(...handOvers),
    failover: Math.max(...failovers),
  };
}

function results(rounds: readonly Round[]): Result[] {
  const of = (what: keyof Round) => rounds.map((round) => round[what]);
  const share = Math.ceil(PARTITIONS / (MEMBERS + 1));
  return [
    figure(
      { title: "a fifth member joins: partitions that move", unit: `of ${PARTITIONS}`, goal: { atMost: share } },
      of("moved"),
    ),
    figure({ title: "longest pause of a partition that stays", unit: "ms", goal: { atMost: 50 } }, of("joinPause")),
    figure({ title: "longest pause while nothing happens", unit: "ms" }, of("quietPause")),
    figure({ title: "longest pause of a partition that moves", unit: "ms" }, of("handOver")),
    figure(
      {
        title: `SIGKILL until the last partition continues, session ${SESSION_TIMEOUT_MS} ms`,
        unit: "ms",
        goal: { atMost: SESSION_TIMEOUT_MS + 250 },
      },
      of("failover"),
    ),
  ];
}

let names = 0;

async function newMember(address: string): Promise<Member> {
  return { name: `member ${names++}`, worker: await Worker.start<WatchingMemberTasks>("watching-member", [address]) };
}

async function join(members: Member[], newcomer: Member): Promise<void> {
  members.push(newcomer);
  const options = { group: GROUP, topics: [TOPIC], from: "latest", sessionTimeoutMs: SESSION_TIMEOUT_MS } as const;
  await newcomer.worker.ask("join", { ...options, clientId: newcomer.name });
}

async function watch(members: readonly Member[]): Promise<void> {
  await Promise.all(members.map(({ worker }) => worker.ask("watch", undefined as never)));
}

/** The deliveries of each member, by its name and then by partition. */
async function deliveries(members: readonly Member[]): Promise<Map<string, Map<number, Deliveries>>> {
  const seen = members.map(
    async ({ name, worker }) => [name, new Map(await worker.ask("seen", undefined as never))] as const,
  );
  return new Map(await Promise.all(seen));
}

/** The owner of each partition once that many members share them. */
async function shares(client: LogClient, count: number): Promise<Map<number, string>> {
  const isShared = ({ state, members }: GroupDescription) => state === "stable" && members.length === count;
  const { members, partitions } = await groupWhen(client, GROUP, isShared);
  const names = new Map(members.map(({ memberId, clientId }) => [memberId, clientId]));
  return new Map(partitions.map(({ partition, memberId }) => [partition, names.get(memberId ?? "") ?? ""]));
}
