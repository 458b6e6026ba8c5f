/** The contents of an `expected.json`. Fields that do not apply are omitted. */
import type { GoldenRecord } from "./format.ts";

export type Expected = ExpectedStore | ExpectedBroker | ExpectedRefusal;

/** Code and fields of an error: exactly the fields that it has. */
export interface ExpectedError {
  readonly code: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly file?: string;
  readonly byte?: number;
  readonly expected?: number;
  readonly actual?: number;
}

/** A directory that is refused and not modified. */
export interface ExpectedRefusal {
  readonly about: string;
  readonly is: "store" | "broker";
  readonly refused: ExpectedError;
}

export interface ExpectedStore {
  readonly about: string;
  readonly is: "store";
  readonly recovery: readonly ExpectedRecovery[];
  readonly partitions: readonly ExpectedPartition[];
  /** Partitions for which a read-only open gives a different result. */
  readonly readOnly?: readonly ExpectedPartition[];
  /** The findings of `verify`; "some" if the format pages do not specify them. */
  readonly findings: readonly ExpectedFinding[] | "some";
  /** The results of a repair that is not a dry run, if there is something to repair. */
  readonly repaired?: readonly ExpectedRepair[];
  /** All files after the store was opened for writing and closed. */
  readonly after: Readonly<Record<string, ExpectedFile>>;
}

export interface ExpectedBroker {
  readonly about: string;
  readonly is: "broker";
  readonly topics: readonly ExpectedTopic[];
  readonly unreadable: readonly { readonly directory: string; readonly error: ExpectedError }[];
  /** The next id allocated, or the error instead. */
  readonly producerId: number | ExpectedError;
  readonly after: Readonly<Record<string, ExpectedFile>>;
}

export interface ExpectedTopic {
  readonly topic: string;
  readonly directory: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly partitions: readonly ExpectedPartition[];
}

export interface ExpectedRecovery {
  readonly partition: number;
  readonly damage?: ExpectedError;
  readonly tornTail?: { readonly file: string; readonly byte: number; readonly length: number };
}

export interface ExpectedPartition {
  readonly start: number;
  readonly end: number;
  /** From the start, up to the end or the error. */
  readonly records: readonly ExpectedRecord[];
  readonly error?: ExpectedError;
  /** What a reader gets that starts after damage. */
  readonly behind?: { readonly from: number; readonly records: readonly ExpectedRecord[] };
  /** The first offset appended at or after a time. */
  readonly times?: readonly (readonly [time: number, offset: number])[];
  /** Batches sent again or out of order: the offset in their ack, or the error code. */
  readonly producers?: readonly (readonly [
    id: number,
    epoch: number,
    sequence: number,
    count: number,
    outcome: Outcome,
  ])[];
}

export type Outcome = number | string;

/** A value of many equal characters is given as their number and the character. */
export interface ExpectedRecord extends Omit<GoldenRecord, "value"> {
  readonly offset: number;
  readonly value: string | readonly [times: number, character: string];
}

export interface ExpectedFinding {
  readonly kind: "damage" | "index" | "overlap";
  readonly partition: number;
  readonly file: string;
  readonly byte: number;
  readonly length: number;
  readonly offset: number;
  readonly nextOffset?: number;
}

export interface ExpectedRepair {
  readonly start: number;
  readonly end: number;
  readonly offsets: readonly number[];
}

/** `????????` in a name stands for random hex digits. */
export type ExpectedFile =
  | "as before"
  | { readonly bytesOf: string; readonly from: number; readonly to: number }
  | { readonly hex: string }
  /** A line of JSON and its checksum. */
  | { readonly checkedJson: unknown };
