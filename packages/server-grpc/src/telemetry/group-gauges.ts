import type { LogApi } from "@logstore/protocol";
import type { BatchObservableResult, Meter } from "@opentelemetry/api";
import { CONSUMER_GROUP, DESTINATION, PARTITION_ID } from "./conventions.js";
import { type GroupSample, takeSnapshot } from "./group-snapshot.js";
import { Paced } from "./paced.js";

/** A scrape waits at most 2 s for a snapshot; Prometheus times out after 10 s by default. */
const pace = { pauseMs: 5_000, pauseFactor: 4, waitMs: 2_000 };

/**
 * Registers the metrics of consumer groups, which are taken from a snapshot made every few seconds
 * at most. Returns a function that removes them.
 */
export function observeGroups(meter: Meter, api: LogApi): () => void {
  const gauge = (name: string, description: string, unit: string) =>
    meter.createObservableGauge(name, { description, unit });
  const groups = gauge("logstore.groups", "consumer groups that there are", "{group}");
  const members = gauge("logstore.group.members", "members of a group", "{member}");
  const state = gauge("logstore.group.state", "1 for the state that a group is in", "1");
  const lagRecords = gauge("logstore.group.lag.records", "records that a group has not committed", "{record}");
  const lagMs = gauge("logstore.group.lag.ms", "time since the first record that is not committed was appended", "ms");
  const parked = gauge("logstore.parked.records", "records in a parked topic", "{record}");
  const age = gauge("logstore.group.snapshot.age", "time since the metrics of groups were taken", "s");
  const rebalances = meter.createObservableCounter("logstore.group.rebalances", {
    description: "changes of a group: members, subscriptions, assignments, resets",
    unit: "{rebalance}",
  });
  const observables = [groups, members, state, lagRecords, lagMs, parked, age, rebalances];
  const stopped = new AbortController();
  const snapshots = new Paced(() => takeSnapshot(api, stopped.signal), pace);

  const observeGroup = (result: BatchObservableResult, sample: GroupSample) => {
    const attributes = { [CONSUMER_GROUP]: sample.group };
    result.observe(members, sample.members, attributes);
    result.observe(state, 1, { ...attributes, "logstore.group.state": sample.state });
    result.observe(rebalances, sample.epoch, attributes);
    for (const lag of sample.lags) {
      const { topic, partition } = lag;
      const of = topic === undefined ? {} : { [DESTINATION]: topic, [PARTITION_ID]: String(partition) };
      result.observe(lagRecords, lag.lagRecords, { ...attributes, ...of });
      result.observe(lagMs, lag.lagMs, { ...attributes, ...of });
    }
  };
  const callback = async (result: BatchObservableResult) => {
    const latest = await snapshots.get();
    if (latest === undefined) return;
    const { value, ageMs } = latest;
    result.observe(age, ageMs / 1000);
    for (const [name, count] of Object.entries(value.countByState)) {
      result.observe(groups, count, { "logstore.group.state": name });
    }
    for (const sample of value.groups) observeGroup(result, sample);
    for (const { topic, records } of value.parked) {
      result.observe(parked, records, topic === undefined ? {} : { [DESTINATION]: topic });
    }
  };
  meter.addBatchObservableCallback(callback, observables);
  return () => {
    stopped.abort();
    meter.removeBatchObservableCallback(callback, observables);
  };
}
