import type { RecordBatch } from "@logstore/codec";
import { type Context, context, type Link, type SpanContext, SpanKind, trace } from "@opentelemetry/api";
import {
  DESTINATION,
  MESSAGE_COUNT,
  OFFSET,
  OPERATION_NAME,
  OPERATION_TYPE,
  PARTITION_ID,
  SCOPE,
  SYSTEM,
} from "./conventions.js";
import { spanContextOf } from "./record-context.js";

/** Number of links of a span that SDKs keep by default. */
const MAX_LINKS = 128;

export interface ReceivedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly batch: RecordBatch;
  /** The range of delivered offsets: from `from` (inclusive) to `end` (exclusive). */
  readonly from: number;
  readonly end: number;
}

/**
 * Records a span for a received batch, with links to the spans that sent its records. If all
 * records belong to one trace, the span does too; if none belongs to a trace, no span is made. The
 * span has no duration: the processing of the records is left to the application to trace.
 */
export function traceReceived({ topic, partition, batch, from, end }: ReceivedBatch): void {
  const { sends, count } = sendsOf(batch, from, end);
  const [first] = sends;
  if (first === undefined) return;
  const isOneTrace = sends.every(({ traceId }) => traceId === first.traceId);
  const parent: Context = isOneTrace ? trace.setSpanContext(context.active(), first) : context.active();
  const links = sends.map((context): Link => ({ context }));
  const attributes = {
    [SYSTEM]: "logstore",
    [OPERATION_NAME]: "receive",
    [OPERATION_TYPE]: "receive",
    [DESTINATION]: topic,
    [PARTITION_ID]: String(partition),
    [MESSAGE_COUNT]: count,
    [OFFSET]: Math.max(batch.baseOffset, from),
  };
  trace.getTracer(SCOPE).startSpan(`receive ${topic}`, { kind: SpanKind.CONSUMER, attributes, links }, parent).end();
}

/**
 * Returns the contexts in which the records were sent, each once, and the number of delivered
 * records.
 */
function sendsOf(batch: RecordBatch, from: number, end: number): { sends: SpanContext[]; count: number } {
  const sends = new Map<string, SpanContext>();
  let count = 0;
  try {
    const cursor = batch.cursor();
    while (cursor.next() && cursor.offset < end) {
      if (cursor.offset < from) continue;
      count++;
      if (!cursor.hasHeaders || sends.size >= MAX_LINKS) continue;
      const send = spanContextOf(cursor.headers);
      if (send !== undefined) sends.set(send.spanId, send);
    }
  } catch {
    // The reader of the records reports the error.
  }
  return { sends: [...sends.values()], count };
}
