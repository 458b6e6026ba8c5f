import { constants } from "node:buffer";
import type { HeaderInput } from "@logstore/codec";

/**
 * Largest text of a record, a line or a row: the longest string of JavaScript, 512 MiB. The records
 * of the largest batch, 64 MiB, become 384 MiB at most, if each byte is an escape such as \u0001.
 */
export const MAX_TEXT_BYTES = constants.MAX_STRING_LENGTH;

/** A record of an input, with the partition that it names. */
export interface ImportedRecord {
  readonly key: string | Uint8Array | null;
  readonly value: string | Uint8Array;
  readonly timestamp: number | undefined;
  readonly headers: readonly HeaderInput[] | undefined;
  readonly partition: number | undefined;
}

/** A piece of the input, whose records are pulled as fast as they can be sent. */
export interface ImportPiece extends Iterable<ImportedRecord> {
  readonly bytes: number;
  /** Last line whose record was pulled and taken; the line before the piece if there is none. */
  readonly lastLine: number;
}

/** A line or row that is not a record. */
export class BadRecord extends Error {
  readonly line: number;

  constructor(line: number, problem: string) {
    super(`line ${line}: ${problem}`);
    this.name = "BadRecord";
    this.line = line;
  }
}
