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

/** What an SDK keeps of one span's links, unless it is told otherwise. */
const MAX_LINKS = 128;

export interface ReceivedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly batch: RecordBatch;
  /** What of the batch is delivered: from here, and before there. */
  readonly from: number;
  readonly end: number;
}

/**
 * A span that says that a batch was received, linked to the sends of its records; where they are
 * all of one trace, it is a part of that. None where no record belongs to a trace. It has no
 * length: what is done with the records is the caller's to trace.
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

/** The sends that the records were part of, each once, and how many records are delivered. */
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
    // Whoever reads the records is told what is wrong with them.
  }
  return { sends: [...sends.values()], count };
}
