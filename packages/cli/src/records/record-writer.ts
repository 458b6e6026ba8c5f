import type { RecordCursor } from "@logstore/codec";

/** What a writer needs of a record. */
export type WrittenRecord = Pick<RecordCursor, "offset" | "timestamp" | "key" | "value" | "headers">;

/** Turns records into bytes of one format. */
export interface RecordWriter {
  readonly byteLength: number;
  /** The records that follow are of this partition. */
  begin(topic: string, partition: number): void;
  write(record: WrittenRecord): void;
  take(): Uint8Array;
}
