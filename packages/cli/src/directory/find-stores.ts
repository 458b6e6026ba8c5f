/**
 * Finds the log stores in a directory, which is itself a log store, or the data directory of a
 * server.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { CliError } from "../errors/cli-error.js";
import { exitCodes } from "../errors/exit-codes.js";

/** The directory of a log store. */
export interface FoundStore {
  readonly directory: string;
  /** Name of the topic; undefined for a standalone store, or if the name cannot be read. */
  readonly topic: string | undefined;
}

/** What a directory is. */
export interface FoundDirectory {
  readonly kind: "server" | "store";
  readonly stores: readonly FoundStore[];
}

/**
 * @param topic only this one
 * @throws CliError for any other directory, or without the topic
 */
export async function findStores(directory: string, topic?: string): Promise<FoundDirectory> {
  const names = await list(directory);
  if (names.includes("store.json")) {
    const found = { directory, topic: await topicOf(directory) };
    if (topic !== undefined && found.topic !== topic) throw noSuchTopic(directory, topic);
    return { kind: "store", stores: [found] };
  }
  if (!names.includes("broker.json")) {
    throw new CliError("NOT_A_LOG_STORE", `${directory} is neither a server's data directory nor a log store`, {
      exitCode: exitCodes.notFound,
      hint: "name the directory that has broker.json or store.json in it",
    });
  }
  const topics = join(directory, "topics");
  const found = await Promise.all(
    (names.includes("topics") ? await list(topics) : []).map(async (name) => {
      const store = join(topics, name);
      return { directory: store, topic: await topicOf(store) };
    }),
  );
  const stores = found
    .filter((store) => topic === undefined || store.topic === topic)
    .sort((a, b) => (a.topic ?? a.directory).localeCompare(b.topic ?? b.directory));
  if (topic !== undefined && stores.length === 0) throw noSuchTopic(directory, topic);
  return { kind: "server", stores };
}

async function list(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isMissing = code === "ENOENT";
    const text = isMissing ? `there is no directory ${directory}` : `${directory} cannot be read: ${message}`;
    throw new CliError(code ?? "FAILED", text, {
      cause: error,
      exitCode: isMissing ? exitCodes.notFound : exitCodes.failed,
    });
  }
}

async function topicOf(store: string): Promise<string | undefined> {
  const topic = await fieldOf(store, "topic.json", "topic");
  return typeof topic === "string" ? topic : undefined;
}

/** Undefined if the store file cannot be read. */
export async function partitionCount({ directory }: FoundStore): Promise<number | undefined> {
  const partitions = await fieldOf(directory, "store.json", "partitions");
  return typeof partitions === "number" ? partitions : undefined;
}

async function fieldOf(store: string, file: string, field: string): Promise<unknown> {
  try {
    return (JSON.parse(await readFile(join(store, file), "utf8")) as Record<string, unknown>)[field];
  } catch {
    return undefined; // opening the store reports the error
  }
}

function noSuchTopic(directory: string, topic: string): CliError {
  return new CliError("UNKNOWN_TOPIC", `${directory} has no topic ${topic}`, {
    exitCode: exitCodes.notFound,
    hint: `logstore inspect ${directory} shows the topics that there are`,
  });
}

/** The name of a store in messages. */
export function storeName({ topic, directory }: FoundStore): string {
  return topic ?? directory;
}

/** A segment file of a partition. */
export interface SegmentFile {
  readonly path: string;
  readonly partition: number;
  readonly baseOffset: number;
  readonly bytes: number;
}

const SEGMENT = /^(\d{20})\.log$/;
const PARTITION = /^(0|[1-9]\d*)$/;

/** The segment files of a store, by partition and offset. */
export async function segmentFiles(store: string, only?: number): Promise<SegmentFile[]> {
  const found: SegmentFile[] = [];
  for (const name of await list(store)) {
    if (!PARTITION.test(name)) continue;
    const partition = Number(name);
    if (only !== undefined && partition !== only) continue;
    for (const file of await list(join(store, name))) {
      const digits = SEGMENT.exec(file)?.[1];
      if (digits === undefined) continue;
      const path = join(store, name, file);
      const { size } = await stat(path);
      found.push({ path, partition, baseOffset: Number(digits), bytes: size });
    }
  }
  return found.sort((a, b) => a.partition - b.partition || a.baseOffset - b.baseOffset);
}
