import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Context } from "../../command/context.js";
import {
  type FoundStore,
  findStores,
  partitionCount,
  type SegmentFile,
  segmentFiles,
  storeName,
} from "../../directory/find-stores.js";
import { UsageError } from "../../errors/cli-error.js";
import { bytes, count } from "../../output/numbers.js";
import { type BatchOptions, showBatches } from "./batches.js";
import { showSegments } from "./segments.js";

interface Options extends BatchOptions {
  readonly topic?: string;
  readonly partition?: number;
  readonly batches?: boolean;
}

/**
 * Shows an overview of a directory, or its segments, batches and records if the options select
 * them.
 */
export async function run(context: Context, options: Options, path: string): Promise<void> {
  if ((await fileSize(path)) !== undefined) return showBatches(context, [await segmentAt(path)], options);
  const { kind, stores } = await findStores(path, options.topic);
  const isDeep = options.batches || options.records || options.hex || options.offset !== undefined;
  if (kind === "server" && options.topic === undefined) {
    if (isDeep) throw new UsageError("which topic?", { hint: "add --topic, or name a segment file" });
    return showTopics(context, stores, path);
  }
  const segments = await segmentFiles(stores[0]!.directory, options.partition);
  return isDeep ? showBatches(context, segments, options) : showSegments(context, segments);
}

async function showTopics({ output }: Context, stores: readonly FoundStore[], path: string): Promise<void> {
  const rows = await Promise.all(
    stores.map(async (store) => {
      const segments = await segmentFiles(store.directory);
      return {
        topic: storeName(store),
        directory: store.directory,
        partitions: await partitionCount(store),
        segments: segments.length,
        bytes: segments.reduce((sum, segment) => sum + segment.bytes, 0),
      };
    }),
  );
  await output.list(
    rows,
    [
      { title: "TOPIC", value: ({ topic }) => topic, minWidth: 12 },
      {
        title: "PARTITIONS",
        value: ({ partitions }) => (partitions === undefined ? undefined : count(partitions)),
        align: "right",
      },
      { title: "SEGMENTS", value: ({ segments }) => count(segments), align: "right" },
      { title: "SIZE", value: (row) => bytes(row.bytes), align: "right" },
      { title: "DIRECTORY", value: ({ directory }) => directory, minWidth: 20 },
    ],
    `${path} has no topics`,
  );
}

async function fileSize(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch {
    return undefined; // findStores reports the error
  }
}

async function segmentAt(path: string): Promise<SegmentFile> {
  const partition = Number(basename(dirname(path)));
  const baseOffset = Number(/^\d{20}(?=\.log$)/.exec(basename(path))?.[0]);
  if (Number.isSafeInteger(baseOffset)) {
    return {
      path,
      partition: Number.isSafeInteger(partition) ? partition : 0,
      baseOffset,
      bytes: (await fileSize(path)) ?? 0,
    };
  }
  throw new UsageError(`${path} is no segment: their names are 20 digits and .log`);
}
