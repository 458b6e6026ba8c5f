/** The definition of a large request, and functions to make it. */
import { encode, type Stranger } from "../hostile/stranger.ts";

export interface LargeRequest {
  readonly name: string;
  /** Prepares the request; not measured. */
  prepare?(stranger: Stranger): Promise<void>;
  run(stranger: Stranger, loop: Loop): Promise<unknown>;
}

/** The server that receives the requests. */
export interface Loop {
  /** Opens another connection. */
  more(): Stranger;
  /**
   * Closes all connections and restarts the server. The measurement restarts when it begins to open
   * its data.
   */
  restart(): Promise<void>;
}

/** Requests to the same server, one after another. */
export interface RequestGroup {
  readonly requests: readonly LargeRequest[];
  /** On disk instead of in memory, so that the server can be restarted. */
  readonly isDurable?: boolean;
}

/** @throws unless the call succeeds, or is refused because it exceeds a limit */
export async function call(stranger: Stranger, method: string, message: string, fields: object): Promise<void> {
  const { status, message: why } = await stranger.call(`/logstore.v1.${method}`, encode(message, fields));
  if (status !== 0 && !/allowed|at most|more than|too long/.test(why)) throw new Error(`${method}: ${status} ${why}`);
}

export const createTopic = (stranger: Stranger, topic: string, partitions: number) =>
  call(stranger, "AdminService/CreateTopic", "CreateTopicRequest", { topic, partitions });

export const produce = (stranger: Stranger, batches: Uint8Array, partition = 0) =>
  call(stranger, "LogService/Produce", "ProduceRequest", { topic: "one", partition, batches });

export const times = (count: number, run: (i: number) => Promise<unknown>) =>
  Promise.all(Array.from({ length: count }, (_, i) => run(i)));

/** Processes all items, `atOnce` at a time. */
export async function some<T>(atOnce: number, items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  let next = 0;
  await times(atOnce, async () => {
    while (next < items.length) await work(items[next++]!);
  });
}
