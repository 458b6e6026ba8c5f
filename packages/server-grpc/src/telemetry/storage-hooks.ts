import type { CommittedEvent, FailedEvent, LogStoreHooks, ReadEvent } from "@logstore/core";
import { metrics } from "@opentelemetry/api";
import { DESTINATION, SCOPE } from "./conventions.js";
import { DURATION_BUCKETS } from "./server-metrics.js";

/** Hooks for `Broker.open` that record metrics of the engine. */
export function storageHooks() {
  const meter = metrics.getMeter(SCOPE);
  const duration = (name: string, description: string) =>
    meter.createHistogram(name, { description, unit: "s", advice: { explicitBucketBoundaries: DURATION_BUCKETS } });
  const syncs = duration("logstore.commit.sync.duration", "time that making a group of appends durable took");
  const writes = duration("logstore.commit.write.duration", "time that writing a group of appends took");
  const groups = meter.createHistogram("logstore.commit.appends", {
    description: "appends that were written together",
    unit: "{append}",
    advice: { explicitBucketBoundaries: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] },
  });
  const reads = meter.createCounter("logstore.read.bytes", {
    description: "bytes that were read from disk or from memory",
    unit: "By",
  });
  const failures = meter.createCounter("logstore.partition.failures", {
    description: "partitions that take no more appends since a write failed",
    unit: "{partition}",
  });
  return {
    committed({ appends, writeMs, syncMs }: CommittedEvent) {
      groups.record(appends);
      writes.record(writeMs / 1000);
      if (syncMs !== undefined) syncs.record(syncMs / 1000);
    },
    read: ({ bytes, source }: ReadEvent) => reads.add(bytes, bySource[source]),
    failed: ({ topic }: FailedEvent) => failures.add(1, topic === undefined ? {} : { [DESTINATION]: topic }),
  } satisfies LogStoreHooks;
}

const bySource = { memory: { "logstore.source": "memory" }, disk: { "logstore.source": "disk" } };
