/** Imports one file of the Go LogStore. */
import type { RecordInput } from "@logstore/codec";
import type { Durability } from "@logstore/protocol";
import type { LogStore } from "../store/log-store.js";
import type { BilogFile } from "./bilog-files.js";
import { type BilogDamage, BilogReader } from "./bilog-reader.js";
import type { FileWindow } from "./file-window.js";

/** The result of importing one file of the Go LogStore. */
export interface BilogFileReport {
  readonly file: string;
  readonly partition: number;
  /** Number of records imported. */
  readonly records: number;
  /** Length of the file, in bytes. */
  readonly bytes: number;
  /** Number of its bytes that were not imported. */
  readonly damagedBytes: number;
  /** The damaged ranges in order; at most the first 1,000. */
  readonly damaged: readonly BilogDamage[];
}

export interface ImportBilogFileOptions {
  readonly maxRecordBytes: number;
  readonly signal: AbortSignal | undefined;
  readonly durability: Durability | undefined;
}

/** Bytes of the file whose records are appended at once. */
const APPEND_BYTES = 1024 * 1024;

/** Limits the memory of the report, whatever the file contains. */
const MAX_DAMAGED = 1000;

/** @param store its partition must be empty */
export async function importBilogFile(
  { name, partition }: BilogFile,
  window: FileWindow,
  store: LogStore,
  { maxRecordBytes, signal, durability }: ImportBilogFileOptions,
): Promise<BilogFileReport> {
  const damaged: BilogDamage[] = [];
  let damagedBytes = 0;
  let records = 0;
  let waiting: RecordInput[] = [];
  let waitingBytes = 0;

  const append = async () => {
    signal?.throwIfAborted();
    if (waiting.length === 0) return;
    // The expected offset ensures that no other writer's records come in between.
    const { nextOffset } = await store.appendMany(partition, waiting, { durability, expectedOffset: records });
    records = nextOffset;
    waiting = [];
    waitingBytes = 0;
  };

  for await (const found of new BilogReader(window, maxRecordBytes).read(signal)) {
    if ("payload" in found) {
      waiting.push({ value: found.payload });
      waitingBytes += found.length;
      if (waitingBytes >= APPEND_BYTES) await append();
    } else {
      damagedBytes += found.length;
      if (damaged.length < MAX_DAMAGED) damaged.push(found);
    }
  }
  await append();
  return { file: name, partition, records, bytes: window.size, damagedBytes, damaged };
}
