/** The trace context of a record, which its producer stores in its headers. */

import type { Header, HeaderInput } from "@logstore/codec";
import {
  type Context,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  type TextMapGetter,
  trace,
} from "@opentelemetry/api";
import { onceATurn } from "../common/once-a-turn.js";

/**
 * Whether tracing is on: without a registered propagator, no context is stored in headers or read
 * from them. It is looked up once in a turn of the event loop, because that took a tenth of the
 * time of a send.
 */
export const isTracing = onceATurn(() => propagation.fields().length > 0);

/**
 * Returns the context in which a record was sent, for example as the parent of a span for its
 * processing. Returns OpenTelemetry's root context if the record has none, or no propagator is
 * registered.
 */
export function traceContextOf({ headers }: { readonly headers: readonly Header[] }): Context {
  return headers.length === 0 ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, headers, headerGetter);
}

export function spanContextOf(headers: readonly Header[]): SpanContext | undefined {
  return trace.getSpanContext(traceContextOf({ headers }));
}

/** Returns the headers with the context, which replaces a context that they already contain. */
export function withContext(headers: readonly HeaderInput[], context: Context): readonly HeaderInput[] {
  const injected: HeaderInput[] = [];
  propagation.inject(context, injected, { set: (carrier, name, value) => void carrier.push({ name, value }) });
  const names = new Set(propagation.fields());
  return [...headers.filter(({ name }) => !names.has(name)), ...injected];
}

const headerGetter: TextMapGetter<readonly Header[]> = {
  keys: (headers) => headers.map(({ name }) => name),
  get(headers, wanted) {
    const header = headers.find(({ name }) => name === wanted);
    return header && Buffer.from(header.value).toString("latin1");
  },
};
