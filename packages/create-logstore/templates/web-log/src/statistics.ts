/** Counts that follow the log. They are in memory, and the log is read from its start each time. */
import { json, type LogClient, type Reader } from "@logstore/client";
import { type Access, TOPIC } from "./site.ts";

interface Count {
  count: number;
  totalMs: number;
}

export class Statistics {
  readonly #counts = new Map<string, Count>();

  /** Reads on until the client is closed. Rejects if the log cannot be read. */
  async follow(client: LogClient): Promise<void> {
    const reader: Reader<Access> = client.reader({ topics: [TOPIC], value: json<Access>() });
    for await (const { value } of reader) this.add(value);
  }

  add({ path, status, durationMs }: Access): void {
    const name = `${status} ${path}`;
    const { count, totalMs } = this.#counts.get(name) ?? { count: 0, totalMs: 0 };
    this.#counts.set(name, { count: count + 1, totalMs: totalMs + durationMs });
  }

  /** By status and path, the most frequent first. */
  report(): { readonly request: string; readonly count: number; readonly meanMs: number }[] {
    return Array.from(this.#counts, ([request, { count, totalMs }]) => {
      return { request, count, meanMs: Math.round(totalMs / count) };
    }).sort((a, b) => b.count - a.count);
  }
}
