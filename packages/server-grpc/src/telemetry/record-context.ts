/** The trace context of a record, which its producer stores in the record's headers. */

import { type Header, RecordBatch } from "@logstore/codec";
import { type Context, propagation, ROOT_CONTEXT, type TextMapGetter, trace } from "@opentelemetry/api";

/** A larger compressed batch is not decompressed for tracing. */
const MAX_DECOMPRESSED_BYTES = 64 * 1024;

/** Whether tracing is set up: without a propagator no context can be extracted. */
export function isTracing(): boolean {
  return propagation.fields().length > 0;
}

/**
 * The context of the first record of the first batch, if it has one. Faults in the batch are not
 * reported here.
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
