import { performance } from "node:perf_hooks";
import { metrics } from "@opentelemetry/api";
import { SCOPE } from "./conventions.js";

/** Metrics of the process: its resources, and the utilization of its event loop. */
export function observeProcess(): void {
  const meter = metrics.getMeter(SCOPE);
  let last = performance.eventLoopUtilization();
  meter
    .createObservableUpDownCounter("process.memory.usage", { description: "memory in use", unit: "By" })
    .addCallback((result) => result.observe(process.memoryUsage.rss()));
  meter
    .createObservableCounter("process.cpu.time", { description: "processor time used, of all threads", unit: "s" })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe(user / 1e6, { "cpu.mode": "user" });
      result.observe(system / 1e6, { "cpu.mode": "system" });
    });
  meter
    .createObservableGauge("nodejs.eventloop.utilization", {
      description: "part of the time that the thread was busy, since the last look",
      unit: "1",
    })
    .addCallback((result) => {
      const now = performance.eventLoopUtilization();
      result.observe(performance.eventLoopUtilization(now, last).utilization);
      last = now;
    });
}

/** Metrics of the log output: lines that were dropped. */
export function observeLog(log: { readonly droppedLines: number }): void {
  metrics
    .getMeter(SCOPE)
    .createObservableCounter("logstore.log.dropped_lines", {
      description: "log lines that were dropped, since stderr did not take them",
      unit: "{line}",
    })
    .addCallback((result) => result.observe(log.droppedLines));
}
