import type { RecordCursor } from "@logstore/codec";

/** The parts of a record that a writer needs. */
export type WrittenRecord = Pick<RecordCursor, "offset" | "timestamp" | "key" | "value" | "headers">;

/** Turns records into bytes of one format. */
export interface RecordWriter {
  readonly byteLength: number;
  /** Called before the records of a partition. */
  begin(topic: string, partition: number): void;
  write(record: WrittenRecord): void;
  take(): Uint8Array;
}
