/** Which trace a record belongs to: its producer puts that into the record's headers. */

import type { Header, HeaderInput } from "@logstore/codec";
import {
  type Context,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  type TextMapGetter,
  trace,
} from "@opentelemetry/api";

/**
 * Whether anybody traces: without a propagator nothing would be put into headers, nor found in
 * them.
 */
export function isTracing(): boolean {
  return propagation.fields().length > 0;
}

/**
 * The context that a record was sent in, to continue its trace: as the parent of a span for what is
 * done with the record, say. OpenTelemetry's root context where it has none, or where no propagator
 * is registered.
 */
export function traceContextOf({ headers }: { readonly headers: readonly Header[] }): Context {
  return headers.length === 0 ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, headers, headerGetter);
}

export function spanContextOf(headers: readonly Header[]): SpanContext | undefined {
  return trace.getSpanContext(traceContextOf({ headers }));
}

/** The headers with the context in them, in the place of another that was there. */
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
