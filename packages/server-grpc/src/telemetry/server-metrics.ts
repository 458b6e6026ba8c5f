/**
 * The metrics of a server, recorded with OpenTelemetry's API: without an SDK in the process they
 * are not collected and cost nothing.
 */
import { callAll } from "@logstore/codec";
import type { Durability, LogApi, TopicHealthApi } from "@logstore/protocol";
import { type BatchObservableResult, type Meter, metrics, type Observable } from "@opentelemetry/api";
import { DESTINATION, ERROR_TYPE, RPC_METHOD, RPC_STATUS, RPC_SYSTEM, SCOPE } from "./conventions.js";
import { observeGroups } from "./group-gauges.js";
import { observeTopics } from "./topic-gauges.js";
import { type TopicTraffic, Traffic } from "./traffic.js";

export interface Connections {
  readonly openCount: number;
  readonly acceptedCount: number;
}

/** In seconds, from a write in memory through an fsync to durations that need attention. */
export const DURATION_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

export class ServerMetrics {
  readonly traffic = new Traffic();
  readonly #meter: Meter = metrics.getMeter(SCOPE);
  readonly #openStreams = new Map<string, { readonly attributes: Record<string, string>; count: number }>();
  readonly #cleanUp: (() => void)[] = [];
  readonly #callAttributes = new Map<string, Record<string, string>>();
  readonly #calls = this.#duration("rpc.server.call.duration", "time from a call's start to its end");
  readonly #appends = this.#duration(
    "logstore.append.duration",
    "time from an append's arrival to its acknowledgement",
  );
  readonly #errors = this.#meter.createCounter("logstore.errors", {
    description: "errors that peers were answered with",
    unit: "{error}",
  });

  /** Registers the observed metrics; {@link stop} removes them. */
  observe(api: LogApi & Partial<TopicHealthApi>, connections: Connections): void {
    this.#observeTraffic();
    this.#observeConnections(connections);
    this.#cleanUp.push(observeTopics(this.#meter, api), observeGroups(this.#meter, api));
  }

  stop(): void {
    callAll(this.#cleanUp.splice(0));
  }

  appended(durability: Durability, durationMs: number): void {
    this.#appends.record(durationMs / 1000, byDurability[durability]);
  }

  called(method: string, status: string, durationMs: number): void {
    const key = `${method} ${status}`;
    let attributes = this.#callAttributes.get(key);
    if (attributes === undefined) {
      attributes = { [RPC_SYSTEM]: "grpc", [RPC_METHOD]: method, [RPC_STATUS]: status };
      this.#callAttributes.set(key, attributes);
    }
    this.#calls.record(durationMs / 1000, attributes);
  }

  answeredError(code: string): void {
    this.#errors.add(1, { [ERROR_TYPE]: code });
  }

  streamOpened(method: string): void {
    const streams = this.#openStreams.get(method);
    if (streams !== undefined) streams.count++;
    else this.#openStreams.set(method, { attributes: { [RPC_SYSTEM]: "grpc", [RPC_METHOD]: method }, count: 1 });
  }

  streamClosed(method: string): void {
    this.#openStreams.get(method)!.count--;
  }

  #duration(name: string, description: string) {
    const advice = { explicitBucketBoundaries: DURATION_BUCKETS };
    return this.#meter.createHistogram(name, { description, unit: "s", advice });
  }

  #observeTraffic(): void {
    const instruments = trafficCounters.map(({ name, description, unit, read }) => ({
      instrument: this.#meter.createObservableCounter(name, { description, unit }),
      read,
    }));
    const appending = this.#meter.createObservableUpDownCounter("logstore.append.pending", {
      description: "bytes of appends that are not acknowledged yet",
      unit: "By",
    });
    const delivering = this.#meter.createObservableUpDownCounter("logstore.delivery.pending", {
      description: "bytes that were read and that readers have not taken yet",
      unit: "By",
    });
    const observables = [...instruments.map(({ instrument }) => instrument), appending, delivering];
    this.#observeTogether(observables, (result) => {
      result.observe(appending, this.traffic.appendingBytes);
      result.observe(delivering, this.traffic.deliveringBytes);
      for (const [topic, traffic] of this.traffic.topics) {
        const attributes = { [DESTINATION]: topic };
        for (const { instrument, read } of instruments) result.observe(instrument, read(traffic), attributes);
      }
    });
  }

  #observeConnections(connections: Connections): void {
    const open = this.#meter.createObservableUpDownCounter("logstore.connections.open", {
      description: "connections that are open",
      unit: "{connection}",
    });
    const accepted = this.#meter.createObservableCounter("logstore.connections.accepted", {
      description: "connections that came in",
      unit: "{connection}",
    });
    const streams = this.#meter.createObservableUpDownCounter("logstore.streams.open", {
      description: "streaming calls that are open",
      unit: "{stream}",
    });
    this.#observeTogether([open, accepted, streams], (result) => {
      result.observe(open, connections.openCount);
      result.observe(accepted, connections.acceptedCount);
      for (const { attributes, count } of this.#openStreams.values()) result.observe(streams, count, attributes);
    });
  }

  #observeTogether(observables: Observable[], callback: (result: BatchObservableResult) => void): void {
    this.#meter.addBatchObservableCallback(callback, observables);
    this.#cleanUp.push(() => this.#meter.removeBatchObservableCallback(callback, observables));
  }
}

const byDurability = {
  written: { "logstore.durability": "written" },
  replicated: { "logstore.durability": "replicated" },
  flushed: { "logstore.durability": "flushed" },
};

interface TrafficCounter {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly read: (traffic: TopicTraffic) => number;
}

const trafficCounters: readonly TrafficCounter[] = [
  {
    name: "logstore.append.records",
    description: "records appended",
    unit: "{record}",
    read: (t) => t.appendedRecords,
  },
  { name: "logstore.append.batches", description: "batches appended", unit: "{batch}", read: (t) => t.appendedBatches },
  { name: "logstore.append.bytes", description: "bytes appended", unit: "By", read: (t) => t.appendedBytes },
  { name: "logstore.delivery.records", description: "records read", unit: "{record}", read: (t) => t.deliveredRecords },
  { name: "logstore.delivery.batches", description: "batches read", unit: "{batch}", read: (t) => t.deliveredBatches },
  { name: "logstore.delivery.bytes", description: "bytes read", unit: "By", read: (t) => t.deliveredBytes },
];
