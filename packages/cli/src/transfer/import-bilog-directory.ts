/** Imports a directory of the Go LogStore into a topic, through a temporary log store. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogClient } from "@logstore/client";
import { type BilogReport, importBilog, LogStore } from "@logstore/core";
import type { Context } from "../command/context.js";
import { CliError, UsageError } from "../errors/cli-error.js";
import { count, counted } from "../output/numbers.js";

const FILE = /^(\d+)\.bilog$/;
/** Records that are sent with one promise. */
const RECORDS_AT_A_TIME = 10_000;

/**
 * Each file is imported into the partition with the number of the file. Records have the time of
 * the import and no key, since the Go program stored neither.
 */
export async function importBilogDirectory(
  context: Context,
  directory: string,
  client: LogClient,
  topic: string,
): Promise<number> {
  const { signal, output } = context;
  const partitions = await partitionsOf(directory);
  const described = await client.describeTopic(topic);
  if (described.partitions.length < partitions) {
    throw new UsageError(
      `${directory} has ${counted(partitions, "partition")}, and ${topic} has ${count(described.partitions.length)}`,
      { hint: `import into a new topic with --create ${partitions}` },
    );
  }
  checkEmpty(described.partitions.slice(0, partitions), topic, directory);
  const temporary = await mkdtemp(join(tmpdir(), "logstore-import-"));
  try {
    await using store = await LogStore.open(temporary, { partitions, durability: "written" });
    tellDamage(context, await importBilog(directory, store, { signal }));
    let sent = 0;
    for (let partition = 0; partition < partitions; partition++) {
      await using producer = client.producer(topic);
      let records: { readonly value: Uint8Array; readonly timestamp: number; readonly partition: number }[] = [];
      const send = async () => {
        signal.throwIfAborted();
        await producer.sendMany(records);
        sent += records.length;
        records = [];
      };
      for await (const { value, timestamp } of store.read(partition)) {
        if (records.push({ value, timestamp, partition }) === RECORDS_AT_A_TIME) await send();
      }
      await send();
    }
    return sent;
  } catch (error) {
    if (signal.aborted) output.warn(`${topic} holds a part of ${directory}: delete the topic and begin anew`);
    throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function partitionsOf(directory: string): Promise<number> {
  const numbers = (await readdir(directory))
    .map((name) => FILE.exec(name)?.[1])
    .filter((number) => number !== undefined);
  if (numbers.length === 0) {
    throw new UsageError(`${directory} holds no 0.bilog, 1.bilog, …, the files of the Go LogStore`);
  }
  return Math.max(...numbers.map(Number)) + 1;
}

/** Prevents a repeated import. */
function checkEmpty(
  partitions: readonly { readonly partition: number; readonly logEndOffset: number }[],
  topic: string,
  directory: string,
): void {
  const filled = partitions.find(({ logEndOffset }) => logEndOffset > 0);
  if (filled === undefined) return;
  throw new CliError(
    "NOT_EMPTY",
    `partition ${filled.partition} of ${topic} is not empty: was ${directory} imported already?`,
    {
      hint: "import into a new topic",
    },
  );
}

function tellDamage({ output }: Context, { files }: BilogReport): void {
  for (const { file, damagedBytes, damaged } of files) {
    if (damagedBytes > 0) {
      output.warn(
        `${file}: ${counted(damagedBytes, "byte")} in ${counted(damaged.length, "place")} cannot be read, and are left out`,
      );
    }
  }
}
