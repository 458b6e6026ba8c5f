/** Opens the parts of a broker. */
import type { Engine } from "../engine/engine.js";
import type { Topic } from "../engine/topic-catalogue.js";
import { FileEngine } from "../file-engine/file-engine.js";
import type { FileTopic } from "../file-engine/file-topic.js";
import { withStorageErrors } from "../storage/storage-error.js";
import { BrokerGroups } from "./broker-groups.js";
import {
  type BrokerOptions,
  checkBrokerOptions,
  checkEngineBrokerOptions,
  type EngineBrokerOptions,
} from "./broker-options.js";
import { Snapshots } from "./snapshots/snapshots.js";
import { TopicLifecycle } from "./topics/topic-lifecycle.js";
import { TopicTotals } from "./topics/topic-limits.js";
import type { Topics } from "./topics/topics.js";

export interface BrokerParts {
  readonly engine: Engine;
  readonly lifecycle: TopicLifecycle;
  readonly groups: BrokerGroups;
  /** Undefined if the engine does not store files. */
  readonly files: BrokerFiles | undefined;
}

/** The parts that only a broker on files has. */
export interface BrokerFiles {
  readonly topics: Topics<FileTopic>;
  readonly snapshots: Snapshots;
}

/** Opens a broker on a data directory. */
export function openOnFiles(directory: string, options: BrokerOptions): Promise<BrokerParts> {
  return withStorageErrors(`${directory} cannot be opened`, async () => {
    checkBrokerOptions(options);
    const totals = new TopicTotals(options);
    const engine = await FileEngine.open(directory, options);
    return open(engine, options, totals, async (lifecycle) => {
      return { topics: lifecycle.topics, snapshots: await Snapshots.open(engine, lifecycle, totals) };
    });
  });
}

/** Opens a broker on any engine. */
export async function openOnEngine(engine: Engine, options: EngineBrokerOptions): Promise<BrokerParts> {
  let totals: TopicTotals;
  try {
    checkEngineBrokerOptions(options);
    totals = new TopicTotals(options);
  } catch (error) {
    await engine.close().catch(() => {});
    throw error;
  }
  return open(engine, options, totals, async () => undefined);
}

/** Closes the engine if the broker cannot be opened. */
async function open<T extends Topic>(
  engine: Engine<T>,
  options: EngineBrokerOptions,
  totals: TopicTotals,
  openFiles: (lifecycle: TopicLifecycle<T>) => Promise<BrokerFiles | undefined>,
): Promise<BrokerParts> {
  let lifecycle: TopicLifecycle<T> | undefined;
  try {
    lifecycle = await TopicLifecycle.open(engine.catalogue, totals);
    const { topics } = lifecycle;
    const files = await openFiles(lifecycle);
    engine.onHealth(() => topics.tellChanged());
    const groups = new BrokerGroups(engine, lifecycle, options);
    if (options.waitForTopics === false)
      groups.opened.catch(() => {}); // reported to whoever awaits it
    else await groups.opened;
    return { engine, lifecycle, groups, files };
  } catch (error) {
    await lifecycle?.close().catch(() => {});
    await engine.close().catch(() => {});
    throw error;
  }
}
