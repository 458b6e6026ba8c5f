/**
 * Runs one scenario: fills a topic, reads it in one way while it is being filled, and reports the
 * faults.
 */
import { seededRandom } from "../bytes.ts";
import { Inspector } from "./inspector.ts";
import type { Scenario } from "./scenario.ts";
import { Scene } from "./scene.ts";
import { type Reading, ways } from "./ways.ts";

export interface Outcome {
  readonly records: number;
  readonly bytes: number;
  readonly ms: number;
  readonly problems: readonly string[];
}

const GROUP_WAYS = new Set(["group", "group batches", "run", "parked"]);

export async function conveyor(scenario: Scenario, { timeLimitMs = 60_000 } = {}): Promise<Outcome> {
  const begun = performance.now();
  await using scene = await Scene.open(scenario, seededRandom(scenario.seed));
  await scene.fill();
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(new Error(`no end after ${timeLimitMs / 1000} s`)), timeLimitMs);
  const failures: string[] = [];
  const inspectors: Inspector[] = [];
  const read = async (name: string) => {
    const inspector = inspectorOf(scene);
    inspectors.push(inspector);
    const reading: Reading = { scene, inspector, name, signal: end.signal };
    try {
      await ended(end.signal, ways[scenario.way]!(reading));
    } catch (error) {
      failures.push(`${error}`);
    }
    inspector.finish();
  };
  const isGroup = GROUP_WAYS.has(scenario.way);
  const names = isGroup ? ["group"] : Array.from({ length: scenario.readers }, (_, i) => `reader-${i}`);
  try {
    const carrying = scene.carryOn(end.signal).catch((error: unknown) => failures.push(`appending: ${error}`));
    await Promise.all([...names.map(read), carrying]);
  } finally {
    clearTimeout(timer);
    end.abort(new Error("the scenario is over"));
  }
  const problems = [...failures, ...inspectors.flatMap((inspector) => inspector.problems)];
  const sum = (of: (inspector: Inspector) => number) => inspectors.reduce((total, each) => total + of(each), 0);
  return {
    records: sum(({ records }) => records),
    bytes: sum(({ bytes }) => bytes),
    ms: performance.now() - begun,
    problems,
  };
}

function inspectorOf({ ends, valueBytes, deletedBefore, scenario }: Scene): Inspector {
  const mayRepeat = GROUP_WAYS.has(scenario.way) && (scenario.readers > 1 || scenario.network === "breaking");
  const isByKey = scenario.way === "run" || scenario.way === "parked";
  return new Inspector({ ends, valueBytes, deletedBefore, mayRepeat, isByKey });
}

/** A reader that ignores the signal is abandoned. */
function ended(signal: AbortSignal, work: Promise<unknown>): Promise<unknown> {
  const { promise, reject } = Promise.withResolvers<never>();
  const overdue = () => setTimeout(() => reject(signal.reason), 1_000).unref();
  signal.addEventListener("abort", overdue, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener("abort", overdue));
}
