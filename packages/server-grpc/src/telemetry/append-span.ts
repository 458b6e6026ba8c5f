import type { ProduceAck, ProduceRequest } from "@logstore/protocol";
import { type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { isTooLong } from "../transport/names.js";
import {
  DESTINATION,
  ERROR_TYPE,
  MESSAGE_COUNT,
  MESSAGING_SYSTEM,
  OPERATION_NAME,
  PARTITION_ID,
  SCOPE,
} from "./conventions.js";
import { isTracing, producerContext } from "./record-context.js";

/** The span of one append, as a part of the trace to which its first record belongs. */
export class AppendSpan {
  readonly #span: Span;

  constructor(span: Span) {
    this.#span = span;
  }

  acknowledged({ baseOffset, nextOffset, durability, duplicate }: ProduceAck): void {
    this.#span.setAttributes({
      [MESSAGE_COUNT]: nextOffset - baseOffset,
      "logstore.offset": baseOffset,
      "logstore.durability": durability,
      "logstore.duplicate": duplicate,
    });
    this.#span.end();
  }

  failed(code: string, error: unknown): void {
    this.#span.setAttribute(ERROR_TYPE, code);
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
    this.#span.end();
  }
}

/**
 * Undefined if there is no tracing here or by the producer: the producer decides whether there is a
 * trace, and whether it is sampled.
 */
export function startAppendSpan({ topic, partition, batches }: ProduceRequest): AppendSpan | undefined {
  if (!isTracing() || isTooLong(topic)) return undefined;
  const parent = producerContext(batches);
  if (parent === undefined) return undefined;
  const attributes = {
    [MESSAGING_SYSTEM]: "logstore",
    [OPERATION_NAME]: "append",
    [DESTINATION]: topic,
    [PARTITION_ID]: String(partition),
    "logstore.bytes": batches.length,
  };
  const tracer = trace.getTracer(SCOPE);
  return new AppendSpan(tracer.startSpan(`append ${topic}`, { kind: SpanKind.SERVER, attributes }, parent));
}
