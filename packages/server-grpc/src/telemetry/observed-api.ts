/** A LogApi that counts and traces the calls to another one, without changing them. */
import { declaredCounts } from "@logstore/codec";
import type {
  ConsumeEvent,
  ConsumeOptions,
  ConsumeRequest,
  FetchOptions,
  FetchRequest,
  FetchResult,
  LogApi,
  ProduceAck,
  ProduceRequest,
} from "@logstore/protocol";
import { startAppendSpan } from "./append-span.js";
import { codeOf } from "./counted-errors.js";
import { DeliveredEvents } from "./delivered-events.js";
import type { ServerMetrics } from "./server-metrics.js";

export function observedApi(api: LogApi, metrics: ServerMetrics): LogApi {
  const { traffic } = metrics;

  const produce = async (request: ProduceRequest): Promise<ProduceAck> => {
    const { topic, batches } = request;
    const { length } = batches;
    const { batches: batchCount } = declaredCounts(batches);
    const span = startAppendSpan(request);
    const start = performance.now();
    const counts = traffic.begin(topic);
    traffic.appendingBytes += length;
    try {
      const ack = await api.produce(request);
      const { baseOffset, nextOffset, durability, duplicate } = ack;
      metrics.appended(durability, performance.now() - start);
      span?.acknowledged(ack);
      const records = nextOffset - baseOffset;
      if (!duplicate) traffic.appended(topic, counts, { records, batches: batchCount, bytes: length });
      return ack;
    } catch (error) {
      span?.failed(codeOf(error), error);
      throw error;
    } finally {
      traffic.end(topic, counts);
      traffic.appendingBytes -= length;
    }
  };

  const consume = (request: ConsumeRequest, options?: ConsumeOptions): AsyncIterable<ConsumeEvent> =>
    new DeliveredEvents(api.consume(request, options), request.topic, traffic);

  const fetch = async (request: FetchRequest, options?: FetchOptions): Promise<FetchResult> => {
    const { topic } = request;
    const counts = traffic.begin(topic);
    try {
      const result = await api.fetch(request, options);
      traffic.delivered(topic, counts, result.batches);
      return result;
    } finally {
      traffic.end(topic, counts);
    }
  };

  const deleteTopic: LogApi["deleteTopic"] = async (topic, options) => {
    await api.deleteTopic(topic, options);
    traffic.deleted(topic);
  };

  return { ...forwarded(api), produce, consume, fetch, deleteTopic };
}

/** Forwards every method of the API unchanged, including those that a later version adds. */
function forwarded(api: LogApi): LogApi {
  const methods: Record<string, unknown> = {};
  const target = api as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (let owner: object = api; owner !== Object.prototype; owner = Object.getPrototypeOf(owner)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      if (typeof value !== "function" || name === "constructor" || name in methods) continue;
      methods[name] = (...args: unknown[]) => target[name]!(...args);
    }
  }
  return methods as unknown as LogApi;
}
