/**
 * Imports a directory of the Go LogStore (lafikl/logstore, 2016). docs/format/bilog.md describes
 * its files.
 */
import {
  abortSignal,
  checkOptions,
  defaultBatchLimits,
  type OptionRules,
  objectWith,
  PartitionCountMismatchError,
  WrongExpectedOffsetError,
  wholeNumber,
} from "@logstore/codec";
import type { Durability } from "@logstore/protocol";
import { trimmedPath } from "../storage/home.js";
import { NodeStorage } from "../storage/node-storage.js";
import type { Storage } from "../storage/storage.js";
import { durabilityRule } from "../store/check-options.js";
import type { LogStore } from "../store/log-store.js";
import { type BilogFile, listBilogFiles, withWindow } from "./bilog-files.js";
import { HEADER_BYTES } from "./bilog-header.js";
import { type BilogFileReport, importBilogFile } from "./import-bilog-file.js";

/** Options of {@link importBilog}. */
export interface ImportBilogOptions {
  /**
   * Aborts the import, which then throws the signal's reason. Records appended until then stay in
   * the store.
   */
  readonly signal?: AbortSignal | undefined;
  /** Longest record that is accepted, in bytes; the store has to accept it, too. Default 16 MiB. */
  readonly maxRecordBytes?: number | undefined;
  /** Default: the store's. */
  readonly durability?: Durability | undefined;
  /** Storage of the directory. Default: the operating system's files. */
  readonly storage?: Storage | undefined;
}

const rules: OptionRules<ImportBilogOptions> = {
  signal: abortSignal,
  maxRecordBytes: wholeNumber({ min: HEADER_BYTES + 1, max: 2 ** 31 - 1 }),
  durability: durabilityRule,
  storage: objectWith("openFile", "list"),
};

/** The result of importing a directory of the Go LogStore. */
export interface BilogReport {
  /** One report for each file, by partition. */
  readonly files: readonly BilogFileReport[];
}

/**
 * Appends each intact record of the files `<n>.bilog` to partition `n` of a store, in order. Values
 * are the payloads; keys are null, because the Go program did not store them. Damage is reported
 * and skipped. The directory is not modified.
 *
 * The partitions must be empty, so that nothing is imported twice: if an import fails, start again
 * with a new store. A store with one partition fewer than the Go program had keeps each key in its
 * partition.
 *
 * @throws NotALogStoreError, PartitionCountMismatchError, WrongExpectedOffsetError or
 * InvalidArgumentError before anything is appended; later the errors of {@link LogStore.appendMany}
 * and of reading the files
 */
export async function importBilog(
  directory: string,
  store: LogStore,
  options: ImportBilogOptions = {},
): Promise<BilogReport> {
  checkOptions("importBilog", options, rules);
  const {
    storage = new NodeStorage(),
    maxRecordBytes = defaultBatchLimits.maxBatchBytes,
    signal,
    durability,
  } = options;
  signal?.throwIfAborted();
  const files = await listBilogFiles(storage, trimmedPath(directory));
  checkPartitions(store, files);
  const reports: BilogFileReport[] = [];
  for (const file of files) {
    const report = await withWindow(storage, file.path, (window) =>
      importBilogFile(file, window, store, { maxRecordBytes, signal, durability }),
    );
    reports.push(report);
  }
  return { files: reports };
}

/** Checks that each non-empty file has a partition, and that this partition is empty. */
function checkPartitions(store: LogStore, files: readonly BilogFile[]): void {
  const filled = files.filter(({ bytes }) => bytes > 0);
  const last = filled.at(-1);
  const { partitionCount } = store;
  if (last !== undefined && last.partition >= partitionCount) {
    const expected = last.partition + 1;
    throw new PartitionCountMismatchError(
      `${last.path} needs a store of ${expected} partitions or more, and this one has ${partitionCount}: open a new one`,
      { file: last.name, partition: last.partition, expected, actual: partitionCount },
    );
  }
  for (const { path, name, partition } of filled) {
    const { endOffset } = store.partition(partition);
    if (endOffset === 0) continue;
    throw new WrongExpectedOffsetError(
      `partition ${partition} is not empty, and ${path} was perhaps imported already: import into a new store`,
      { file: name, partition, expected: 0, actual: endOffset },
    );
  }
}
