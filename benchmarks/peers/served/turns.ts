/**
 * Sends what came within one turn of the event loop in one request, for clients that do not batch.
 */
import type { LiveTopic } from "../../src/contestants/served.ts";

export function batchedByTurns(
  request: (values: Buffer[]) => Promise<unknown>,
): Pick<LiveTopic, "send" | "flush"> & { fail(error: unknown): void } {
  let waiting: Buffer[] = [];
  let failure: unknown;
  const underWay = new Set<Promise<unknown>>();
  const fail = (error: unknown) => {
    failure ??= error;
  };
  const sendWaiting = () => {
    const values = waiting;
    waiting = [];
    const sent = request(values)
      .catch(fail)
      .finally(() => underWay.delete(sent));
    underWay.add(sent);
  };
  return {
    fail,
    send(value) {
      if (waiting.length === 0) setImmediate(sendWaiting);
      waiting.push(value);
    },
    async flush() {
      if (waiting.length > 0) await new Promise((resolve) => setImmediate(resolve));
      await Promise.all(underWay);
      if (failure !== undefined) throw failure;
    },
  };
}
