/** Metrics and logs of the engine jetstream: takeovers, fenced writes, leases, lost quorums. */
import type { JetStreamEvent, JetStreamEventSource, OutcomeEvent } from "@logstore/engine-jetstream";
import { metrics } from "@opentelemetry/api";
import type { Logger } from "pino";
import { DESTINATION, PARTITION_ID, SCOPE } from "../telemetry/conventions.js";
import { DURATION_BUCKETS } from "../telemetry/server-metrics.js";

const OUTCOMES: readonly OutcomeEvent["outcome"][] = ["stored", "stored_again", "fenced", "tail_lost", "too_large"];

export function clusterEvents(log: Logger): (event: JetStreamEvent) => void {
  const counted = clusterMetrics();
  return (event) => {
    counted(event);
    logEvent(log, event);
  };
}

function clusterMetrics(): (event: JetStreamEvent) => void {
  const meter = metrics.getMeter(SCOPE);
  const counter = (name: string, description: string, unit: string) =>
    meter.createCounter(`logstore.cluster.${name}`, { description, unit });
  const takeovers = meter.createHistogram("logstore.cluster.takeover.duration", {
    description: "time that taking a partition or journal over took",
    unit: "s",
    advice: { explicitBucketBoundaries: DURATION_BUCKETS },
  });
  const epochs = meter.createGauge("logstore.cluster.epoch", {
    description: "epoch of this broker in a partition that it has taken over",
    unit: "1",
  });
  const fenced = counter("fenced", "writes that were refused because another broker had taken over", "{write}");
  const outcomes = counter("outcomes", "writes without an acknowledgement whose outcome was found out", "{write}");
  const records = counter("records.lost", "acknowledged records that NATS has lost", "{record}");
  const renewals = counter("lease.renewals.failed", "attempts to renew the lease that failed", "{attempt}");
  const lost = counter("quorum.lost", "times that the stream of a partition had no quorum", "{partition}");
  const leases = counter("lease.lost", "times that the lease ended because it was not renewed", "{lease}");
  // An alert sees no increase of a counter that begins with 1.
  for (const each of [fenced, records, renewals, lost, leases]) each.add(0);
  for (const outcome of OUTCOMES) outcomes.add(0, { "logstore.outcome": outcome });
  return (event) => {
    if (event.type === "takeover") {
      takeovers.record(event.durationMs / 1000);
      epochs.record(event.epoch, labelsOf(event));
    } else if (event.type === "fenced") fenced.add(1);
    else if (event.type === "records_lost") records.add(event.to - event.from);
    else if (event.type === "outcome") outcomes.add(1, { "logstore.outcome": event.outcome });
    else if (event.type === "renewal_failed") renewals.add(1);
    else if (event.type === "quorum" && event.isLost) lost.add(1);
    else if (event.type === "lease" && event.isLost) leases.add(1);
  };
}

function labelsOf({ topic, partition, journal }: JetStreamEventSource): Record<string, string> {
  if (journal !== undefined) return { "logstore.journal": journal };
  return { ...(topic !== undefined && { [DESTINATION]: topic }), [PARTITION_ID]: String(partition) };
}

function logEvent(log: Logger, event: JetStreamEvent): void {
  const [level, message] = lineOf(event);
  const { type: _, ...about } = event;
  const { error: err, ...fields } = about as { error?: unknown };
  log[level]({ ...fields, ...(err !== undefined && { err }) }, message);
}

function kindOf({ journal }: JetStreamEventSource): string {
  return journal === undefined ? "partition" : "journal of groups";
}

function lineOf(event: JetStreamEvent): [level: "info" | "warn" | "error", message: string] {
  switch (event.type) {
    case "takeover":
      return ["info", `a ${kindOf(event)} was taken over`];
    case "fenced":
      return ["warn", `another broker has taken a ${kindOf(event)} over`];
    case "records_lost":
      return ["error", `records from offset ${event.from} to ${event.to - 1} were acknowledged and are gone`];
    case "outcome":
      return ["info", "the outcome of a write without an acknowledgement is known"];
    case "quorum":
      return event.isLost
        ? ["error", `a ${kindOf(event)} has no quorum in NATS`]
        : ["info", `a ${kindOf(event)} has a quorum in NATS again`];
    case "lease":
      return event.isLost
        ? ["error", "the lease has ended: this broker owns nothing until it is renewed"]
        : ["info", "the lease is valid again"];
    case "renewal_failed":
      return ["warn", "the lease could not be renewed"];
    case "sync_unknown":
      return ["warn", "it is not known whether a NATS server syncs always, as cluster.syncsAlways declares"];
    case "sync_lost":
      return ["error", "a NATS server does not sync always any more: flushed is not offered until a restart"];
    case "owners_failed":
      return ["error", "the owners of partitions could not be changed"];
  }
}
