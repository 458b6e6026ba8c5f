import type { HeaderInput } from "@logstore/codec";
import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { DESTINATION, ERROR_TYPE, OPERATION_NAME, OPERATION_TYPE, SCOPE, SYSTEM } from "./conventions.js";
import { withContext } from "./record-context.js";

interface Sendable {
  readonly headers?: readonly HeaderInput[] | undefined;
}

/** A span from the send of records to their acknowledgement. */
export class SendSpan {
  readonly #span: Span;
  /**
   * The context that records carry; undefined if the trace is not sampled, because its bytes would
   * be stored with every record.
   */
  readonly #context: Context | undefined;

  constructor(topic: string) {
    const attributes = {
      [SYSTEM]: "logstore",
      [OPERATION_NAME]: "send",
      [OPERATION_TYPE]: "send",
      [DESTINATION]: topic,
    };
    this.#span = trace.getTracer(SCOPE).startSpan(`send ${topic}`, { kind: SpanKind.PRODUCER, attributes });
    const spanContext = this.#span.spanContext();
    const isKept = isSpanContextValid(spanContext) && (spanContext.traceFlags & TraceFlags.SAMPLED) !== 0;
    this.#context = isKept ? trace.setSpan(context.active(), this.#span) : undefined;
  }

  /** Returns the record with the trace context in its headers. */
  mark<Item extends Sendable>(record: Item): Item {
    if (this.#context === undefined) return record;
    return { ...record, headers: withContext(record.headers ?? [], this.#context) };
  }

  markAll<Item extends Sendable>(records: Iterable<Item> | AsyncIterable<Item>): Iterable<Item> | AsyncIterable<Item> {
    if (this.#context === undefined) return records;
    return Symbol.asyncIterator in records ? this.#markEachOfStream(records) : this.#markEach(records);
  }

  /**
   * Ends the span when the promise is settled.
   *
   * @param told makes attributes of the result
   */
  async follow<Result>(sent: Promise<Result>, told: (result: Result) => Attributes): Promise<Result> {
    try {
      const result = await sent;
      this.#span.setAttributes(told(result));
      return result;
    } catch (error) {
      const { code, name } = error as { code?: unknown; name?: unknown };
      this.#span.setAttribute(ERROR_TYPE, String(code ?? name ?? "_OTHER"));
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
      throw error;
    } finally {
      this.#span.end();
    }
  }

  *#markEach<Item extends Sendable>(records: Iterable<Item>): Generator<Item, void> {
    for (const record of records) yield this.mark(record);
  }

  async *#markEachOfStream<Item extends Sendable>(records: AsyncIterable<Item>): AsyncGenerator<Item, void> {
    for await (const record of records) yield this.mark(record);
  }
}
