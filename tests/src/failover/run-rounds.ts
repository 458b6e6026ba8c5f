/** Runs rounds in several clusters at a time: in each, one fault after another, drawn by seed. */
import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "../bytes.ts";
import { ALL_KILLED, faults, faultsWithSync } from "./faults.ts";
import type { Breach } from "./history.ts";
import { Scene } from "./scene.ts";
import { PARTITIONS, TOPIC } from "./workload.ts";

/** Every so many clusters, the servers of one sync always. */
const SYNCS_EVERY = 3;

export interface FailoverOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Clusters that run at the same time. */
  readonly clusters: number;
  /** Rounds of one cluster, which is then replaced by another. */
  readonly roundsPerCluster: number;
  readonly signal?: AbortSignal;
  readonly log?: (line: string) => void;
}

export interface Tally {
  rounds: number;
  takeovers: number;
  acks: number;
  redelivered: number;
  longestPauseMs: number;
  readonly breaches: Record<Breach, number>;
}

export interface FailoverResult {
  /** By fault. */
  readonly tallies: ReadonlyMap<string, Tally>;
  readonly problems: readonly string[];
}

export async function runRounds(options: FailoverOptions): Promise<FailoverResult> {
  const { rounds, seed, clusters, roundsPerCluster, signal } = options;
  const tallies = new Map<string, Tally>();
  const problems: string[] = [];
  let next = 0;
  const worker = async () => {
    while (next * roundsPerCluster < rounds && !signal?.aborted) {
      const index = next++;
      const count = Math.min(roundsPerCluster, rounds - index * roundsPerCluster);
      problems.push(...(await runCluster(seed + index, count, tallies, options)));
    }
  };
  await Promise.all(Array.from({ length: clusters }, worker));
  return { tallies, problems };
}

/** @returns the problems, with the seed that shows them again, perhaps */
async function runCluster(
  seed: number,
  rounds: number,
  tallies: Map<string, Tally>,
  { signal, log = () => {} }: FailoverOptions,
): Promise<string[]> {
  const syncsAlways = seed % SYNCS_EVERY === 0;
  const drawn = draw(seed, rounds, syncsAlways);
  const again = `--seed ${seed} --rounds ${rounds} --clusters 1`;
  let at = "start";
  let scene: Scene | undefined;
  const problems: string[] = [];
  const report = (what: string) => {
    problems.push(`${again}: ${at}: ${what}`);
    log(problems.at(-1)!);
  };
  try {
    scene = await Scene.start({ seed, syncsAlways });
    for (const [round, fault] of drawn.entries()) {
      if (signal?.aborted) break;
      at = `round ${round + 1}, ${fault}`;
      const tally = await runRound(scene, fault, tallyOf(tallies, fault), report);
      log(`seed ${seed} round ${round + 1}: ${fault}: ${tally}`);
    }
    at = `end, after ${drawn.join(", ")}`;
    await scene.workload.finish();
    await scene.look();
  } catch (error) {
    report(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    if (scene !== undefined) collect(scene, tallyOf(tallies, drawn.at(-1)!), report);
    await scene?.close();
  }
  return problems;
}

async function runRound(scene: Scene, fault: string, tally: Tally, report: (what: string) => void): Promise<string> {
  const { workload, history, audit, nats } = scene;
  const before = { acks: history.acks, takeovers: audit.takeovers, redelivered: history.redelivered };
  workload.takeLongestPause();
  workload.hurry(true);
  await sleep(scene.between(50, 250));
  const deleting = scene.random() < 0.3 ? deleteSome(scene) : undefined;
  const relaxing = sleep(200).then(() => workload.hurry(false));
  await faultsWithSync[fault]!(scene);
  await relaxing;
  await workload.goesOn();
  await deleting;
  await workload.isRead();
  if (fault.startsWith("NATS")) await nats.caughtUp();
  await scene.look();
  const pauseMs = workload.takeLongestPause();
  tally.rounds++;
  tally.acks += history.acks - before.acks;
  tally.takeovers += audit.takeovers - before.takeovers;
  tally.redelivered += history.redelivered - before.redelivered;
  tally.longestPauseMs = Math.max(tally.longestPauseMs, pauseMs);
  collect(scene, tally, report);
  return `${history.acks - before.acks} acks, ${audit.takeovers - before.takeovers} takeovers, pause ${Math.round(pauseMs)} ms`;
}

/** Reports what was found since the last call. */
function collect({ history, audit }: Scene, tally: Tally, report: (what: string) => void): void {
  for (const { breach, what } of history.problems.splice(0)) {
    tally.breaches[breach]++;
    report(`${breach}: ${what}`);
  }
  for (const what of audit.problems.splice(0)) {
    tally.breaches.other++;
    report(what);
  }
}

/** Deletes records that nobody needs any more. It may fail: the cluster is disturbed. */
async function deleteSome({ workload, history, random }: Scene): Promise<void> {
  const partition = Math.floor(random() * PARTITIONS);
  await workload.client.deleteRecords(TOPIC, partition, history.toDelete(partition)).catch(() => {});
}

/** The faults of a cluster's rounds: all of them in a random order before any comes again. */
function draw(seed: number, rounds: number, syncsAlways: boolean): string[] {
  const random = seededRandom(seed);
  const names = Object.keys(syncsAlways ? faultsWithSync : faults);
  const drawn: string[] = [];
  while (drawn.length < rounds) {
    const deck = names.map((name) => ({ name, at: random() })).sort((a, b) => a.at - b.at);
    // What only some clusters have comes first in them.
    if (syncsAlways) deck.sort((a, b) => Number(b.name === ALL_KILLED) - Number(a.name === ALL_KILLED));
    drawn.push(...deck.map(({ name }) => name));
  }
  return drawn.slice(0, rounds);
}

function tallyOf(tallies: Map<string, Tally>, fault: string): Tally {
  const found = tallies.get(fault);
  if (found !== undefined) return found;
  const breaches = { lost: 0, doubled: 0, reordered: 0, other: 0 };
  const tally = { rounds: 0, takeovers: 0, acks: 0, redelivered: 0, longestPauseMs: 0, breaches };
  tallies.set(fault, tally);
  return tally;
}
