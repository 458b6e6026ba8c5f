/** A process with a connection of one contestant, which produces and consumes on request. */
import { absenceBy, type Contestant, load } from "../../contestants/list.ts";
import type { ClientModule, ClientOptions, LogConnection } from "../../contestants/served.ts";
import { Sink, Source, type SourceOptions } from "../../contestants/values.ts";
import { type Latency, type Load, openLoop } from "../open-loop.ts";
import { work } from "../worker.ts";

let connection: LogConnection;

const tasks = {
  /** Returns the client's settings, or why the contestant cannot take part. */
  async connect({ contestant, address, ...options }: ConnectRequest) {
    try {
      const client = await load<ClientModule>(contestant.file);
      const { way, checkout } = contestant;
      connection = await client.connect(address, { way, checkout, ...options });
      return { settings: client.settings };
    } catch (error) {
      return absenceBy(error, contestant.file);
    }
  },
  createTopic: (topic: string) => connection.createTopic(topic),
  deleteTopic: (topic: string) => connection.deleteTopic(topic),
  /** Returns the duration in ms. */
  async produce({ topic, ...options }: SourceOptions & { readonly topic: string }): Promise<number> {
    const send = prepared(topic, options);
    const start = performance.now();
    await send();
    const ms = performance.now() - start;
    return connection.lastMs?.() ?? ms;
  },
  /** The same number of values to each topic, at the same time. Returns the duration in ms. */
  async produceTogether({
    topics,
    ...options
  }: SourceOptions & { readonly topics: readonly string[] }): Promise<number> {
    const sends = topics.map((topic) => prepared(topic, options));
    const start = performance.now();
    await Promise.all(sends.map((send) => send()));
    return performance.now() - start;
  },
  /** Returns the duration in ms. */
  async consume({ topic, count, valueBytes, isChecked = false }: ConsumeRequest): Promise<number> {
    const sink = new Sink(valueBytes, isChecked);
    const start = performance.now();
    await connection.consume(topic, sink, count);
    const ms = performance.now() - start;
    sink.expect(count);
    return connection.lastMs?.() ?? ms;
  },
  latency: (load: Load): Promise<Latency> => openLoop(connection, load),
};

function prepared(topic: string, options: SourceOptions): () => Promise<void> {
  const source = new Source(options);
  return connection.prepare?.(topic, source) ?? (() => connection.produce(topic, source));
}

interface ConnectRequest extends ClientOptions {
  readonly contestant: Contestant;
  readonly address: string;
}

interface ConsumeRequest {
  readonly topic: string;
  readonly count: number;
  readonly valueBytes: number;
  readonly isChecked?: boolean;
}

export type ServedLogTasks = typeof tasks;
work(tasks);
