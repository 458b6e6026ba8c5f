import {
  Broker,
  type LockedError,
  LogStore,
  LogStoreError,
  type RepairAction,
  type TopicSummary,
} from "@logstore/core";
import { confirm } from "../command/confirm.js";
import type { Context } from "../command/context.js";
import { type FoundDirectory, findStores } from "../directory/find-stores.js";
import { CliError } from "../errors/cli-error.js";
import { exitCodes } from "../errors/exit-codes.js";
import { bytes, count, counted } from "../output/numbers.js";

/** A repair action, done or planned, on one file of a topic. */
type Action = RepairAction & { readonly topic: string | undefined };

/** The stores of a directory that this process has opened for writing. */
interface Opened {
  readonly stores: readonly { readonly topic: string | undefined; readonly store: LogStore }[];
  /** Topics that cannot be opened. */
  readonly damaged: readonly TopicSummary[];
  close(): Promise<void>;
}

/**
 * Shows the planned actions, and performs them once they are confirmed. Removed bytes are saved to
 * `.damaged` files.
 */
export async function run(
  context: Context,
  { topic, yes, dryRun }: { readonly topic?: string; readonly yes?: boolean; readonly dryRun?: boolean },
  directory: string,
): Promise<void> {
  const { output, signal } = context;
  const found = await findStores(directory, topic);
  const opened = await openForWriting(directory, found, topic);
  context.onEnd(() => opened.close());
  for (const unopened of opened.damaged) {
    output.warn(`topic ${unopened.topic} cannot be opened, and is not repaired: ${unopened.damage!.message}`);
    context.exitCode = exitCodes.failed;
  }
  const planned = await repairAll(context, opened, true);
  await tell(context, planned, "would be");
  if (planned.length === 0 || dryRun) return;
  await confirm(context, `Repair ${directory} this way; ${lossOf(planned)}`, yes);
  signal.throwIfAborted();
  const done = await repairAll(context, opened, false);
  output.note(`repaired ${directory}: ${lossOf(done)}`);
}

/** With `dryRun`, only returns the planned actions. A repair that has begun is not interrupted. */
async function repairAll({ output, signal }: Context, { stores }: Opened, dryRun: boolean): Promise<Action[]> {
  const progress = await output.progress({
    label: dryRun ? "Looking" : "Repairing",
    total: stores.length,
    unit: "topics",
  });
  const actions: Action[] = [];
  try {
    for (const [i, { topic, store }] of stores.entries()) {
      if (dryRun) signal.throwIfAborted();
      progress.update(i);
      for (const action of await store.repair({ dryRun })) actions.push({ topic, ...action });
    }
  } finally {
    progress.end();
  }
  return actions;
}

async function tell({ output }: Context, actions: readonly Action[], verb: string): Promise<void> {
  for (const action of actions) {
    const { topic, file, byte, length, kind, lostRecords, savedAs, offset, reason } = action;
    await output.result({ ...action, planned: true }, () => {
      const where = `${topic === undefined ? "" : `${topic}/`}${file}`;
      if (kind === "index") return `${where}: the index ${verb} made anew (${reason})`;
      const cut =
        length === 0 ? "" : `${bytes(length)} from byte ${count(byte)} ${verb} cut out and kept as ${savedAs}; `;
      return `${where}: ${cut}${counted(lostRecords, "offset")} from ${count(offset)} on ${verb} noted as lost (${reason})`;
    });
  }
  if (actions.length === 0) await output.result({ planned: true, actions: 0 }, () => "nothing is to be repaired");
}

function lossOf(actions: readonly Action[]): string {
  const lost = actions.reduce((sum, { lostRecords }) => sum + lostRecords, 0);
  return lost === 0 ? "no record is lost" : `${counted(lost, "record")} ${lost === 1 ? "is" : "are"} lost for good`;
}

/** The topic of a server is opened through a broker, any other store directly. */
async function openForWriting(directory: string, { kind, stores }: FoundDirectory, topic?: string): Promise<Opened> {
  try {
    if (kind === "store") {
      const store = await LogStore.open(directory);
      return { stores: [{ topic: stores[0]!.topic, store }], damaged: [], close: () => store.close() };
    }
    const broker = await Broker.open(directory);
    const listed = (await broker.listTopics()).filter((each) => topic === undefined || each.topic === topic);
    const sound = listed.filter(({ damage }) => damage === undefined);
    return {
      stores: sound.map((each) => ({ topic: each.topic, store: broker.topic(each.topic) })),
      damaged: listed.filter(({ damage }) => damage !== undefined),
      close: () => broker.close(),
    };
  } catch (error) {
    if (error instanceof LogStoreError && error.code === "LOCKED") throw locked(error as LockedError, directory);
    throw error;
  }
}

function locked(error: LockedError, directory: string): CliError {
  return new CliError("LOCKED", error.message, {
    cause: error,
    exitCode: exitCodes.failed,
    hint: `stop the process that has ${directory} open; logstore verify works beside it`,
  });
}
