/** The consumer processes, each with its share of the partitions. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Report } from "./consumer.ts";
import { ended } from "./server.ts";

export class Consumers {
  /** Number of the consumer that reads each partition. */
  readonly consumerOf: readonly number[];
  /** Rejects when one of them ends before it is told to. */
  readonly lost: Promise<never>;
  readonly #children: ChildProcess[];
  #stopping = false;

  constructor(address: string, count: number, partitions: number, onReport: (report: Report) => void) {
    this.consumerOf = Array.from({ length: partitions }, (_, partition) => partition % count);
    this.#children = Array.from({ length: count }, (_, consumer) => {
      const share = [...this.consumerOf.keys()].filter((partition) => this.consumerOf[partition] === consumer);
      const child = fork(new URL("consumer.ts", import.meta.url), [address, ...share.map(String)]);
      child.on("message", (message: "ready" | Report) => message !== "ready" && onReport(message));
      return child;
    });
    const exits = this.#children.map((child) => once(child, "exit"));
    this.lost = Promise.race(exits).then(([code, signal]) => {
      if (this.#stopping) return new Promise<never>(() => {});
      throw new Error(`a consumer ended with ${code ?? signal}`);
    });
    this.lost.catch(() => {}); // told to whoever waits for it
  }

  /** Resolves when all of them have started. */
  async ready(): Promise<void> {
    await Promise.race([Promise.all(this.#children.map((child) => once(child, "message"))), this.lost]);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#children.map((child) => ended(child, () => child.connected && child.send("stop"))));
  }
}
