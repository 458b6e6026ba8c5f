/** The trace that a record belongs to, as its producer put it into the record's headers. */

import { type Header, RecordBatch } from "@logstore/codec";
import { type Context, propagation, ROOT_CONTEXT, type TextMapGetter, trace } from "@opentelemetry/api";

/** A compressed batch is only looked into where that is soon done. */
const MAX_DECOMPRESSED_BYTES = 64 * 1024;

/** Whether anybody traces: without a propagator there is nothing to be found in headers. */
export function isTracing(): boolean {
  return propagation.fields().length > 0;
}

/**
 * The context of the first record of the first batch, if it has one. What is wrong with a batch is
 * not told here.
 */
export function producerContext(batches: Uint8Array): Context | undefined {
  try {
    const batch = RecordBatch.parse(batches);
    if (batch.compression !== "none" && batch.recordsLength > MAX_DECOMPRESSED_BYTES) return undefined;
    const cursor = batch.cursor();
    if (!cursor.next() || !cursor.hasHeaders) return undefined;
    const found = propagation.extract(ROOT_CONTEXT, cursor.headers, headerGetter);
    return trace.getSpanContext(found) === undefined ? undefined : found;
  } catch {
    return undefined;
  }
}

const headerGetter: TextMapGetter<readonly Header[]> = {
  keys: (headers) => headers.map(({ name }) => name),
  get(headers, wanted) {
    const header = headers.find(({ name }) => name === wanted);
    return header && Buffer.from(header.value).toString("latin1");
  },
};
