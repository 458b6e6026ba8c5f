/**
 * The log of `logstore dev`: what happens to topics and groups, at most one line per second for
 * each topic.
 */

import type { LogClient } from "@logstore/client";
import { startInterval, type Timer } from "@logstore/codec";
import { count, counted } from "../output/numbers.js";
import type { Output } from "../output/output.js";
import { type GroupSample, type Sample, takeSample } from "../top/sample.js";

const INTERVAL_MS = 1_000;

export class DevLog {
  readonly #output: Output;
  #timer: Timer | undefined;
  #before: Sample | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Checks the topics and groups every second, and prints what has changed. */
  follow(client: LogClient, signal: AbortSignal): void {
    const look = async () => {
      try {
        const now = await takeSample(client);
        if (this.#before !== undefined) this.#tell(this.#before, now);
        this.#before = now;
      } catch {
        // The broker is being closed.
      }
    };
    void look();
    this.#timer = startInterval(INTERVAL_MS, () => void (signal.aborted || look()), { keepsAlive: false });
  }

  problem(text: string): void {
    this.#line("red", "problem", text);
  }

  close(): void {
    this.#timer?.cancel();
  }

  #tell(before: Sample, now: Sample): void {
    const topics = new Map(before.topics.map((topic) => [topic.topic, topic]));
    for (const { topic, appended, partitions } of now.topics) {
      const old = topics.get(topic);
      topics.delete(topic);
      if (old === undefined) this.#line("green", "created", `topic ${topic} with ${counted(partitions, "partition")}`);
      const more = appended - (old?.appended ?? 0);
      if (more > 0) this.#line("cyan", "appended", `${counted(more, "record")} to ${topic}, ${count(appended)} in all`);
    }
    for (const topic of topics.keys()) this.#line("yellow", "deleted", `topic ${topic}`);
    const groups = new Map(before.groups.map((group) => [group.group, group]));
    for (const group of now.groups) this.#tellGroup(groups.get(group.group), group);
  }

  #tellGroup(before: GroupSample | undefined, { group, members, committed, lag }: GroupSample): void {
    if (members !== (before?.members ?? 0))
      this.#line("magenta", "group", `${group} has ${counted(members, "member")}`);
    const done = committed - (before?.committed ?? 0);
    if (done > 0) this.#line("magenta", "processed", `${counted(done, "record")} by ${group}, ${count(lag)} left`);
  }

  #line(format: "red" | "green" | "cyan" | "yellow" | "magenta", what: string, text: string): void {
    const { style } = this.#output;
    const time = style("dim", new Date().toTimeString().slice(0, 8));
    void this.#output.line(`${time}  ${style(format, what.padEnd(9))} ${text}`).catch(() => {}); // the reader of the output has gone away
  }
}
