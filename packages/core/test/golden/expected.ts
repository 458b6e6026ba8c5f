/** What an `expected.json` says. Left out is what there is none of. */
import type { GoldenRecord } from "./format.ts";

export type Expected = ExpectedStore | ExpectedBroker | ExpectedRefusal;

/** Code and place of an error: every field that it has, and no other. */
export interface ExpectedError {
  readonly code: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly file?: string;
  readonly byte?: number;
  readonly expected?: number;
  readonly actual?: number;
}

/** A directory that is refused, and left as it is. */
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
  /** Of those opened to read only, where something else is expected of them. */
  readonly readOnly?: readonly ExpectedPartition[];
  /** What `verify` finds; "some" where the pages do not say what it is to be. */
  readonly findings: readonly ExpectedFinding[] | "some";
  /** After a repair that is not dry, where there is something to repair. */
  readonly repaired?: readonly ExpectedRepair[];
  /** Once it was opened for writing and closed: every file there is. */
  readonly after: Readonly<Record<string, ExpectedFile>>;
}

export interface ExpectedBroker {
  readonly about: string;
  readonly is: "broker";
  readonly topics: readonly ExpectedTopic[];
  readonly unreadable: readonly { readonly directory: string; readonly error: ExpectedError }[];
  /** The next that is handed out, or why none is. */
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
  /** From the start on, up to the end or the error. */
  readonly records: readonly ExpectedRecord[];
  readonly error?: ExpectedError;
  /** What a reader gets that begins behind a damaged place. */
  readonly behind?: { readonly from: number; readonly records: readonly ExpectedRecord[] };
  /** The first offset appended at a time or later. */
  readonly times?: readonly (readonly [time: number, offset: number])[];
  /** Batches sent again, or out of order: the offset they have, or the code of the error. */
  readonly producers?: readonly (readonly [
    id: number,
    epoch: number,
    sequence: number,
    count: number,
    outcome: Outcome,
  ])[];
}

export type Outcome = number | string;

/** A value of many equal characters is their number and the character. */
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

/** A name with `????????` stands for one with random hex digits there. */
export type ExpectedFile =
  | "as before"
  | { readonly bytesOf: string; readonly from: number; readonly to: number }
  | { readonly hex: string }
  /** A line of JSON and its checksum. */
  | { readonly checkedJson: unknown };
