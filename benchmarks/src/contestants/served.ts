/**
 * What a log in another process has to do to take part: one file that starts it, one per client.
 */
import type { Certificate } from "../processes/certificate.ts";
import type { Durability } from "./embedded.ts";
import type { Sink, Source } from "./values.ts";

export interface ServerOptions {
  /** An empty directory. */
  readonly directory: string;
  readonly durability: Durability;
  readonly certificate?: Certificate | undefined;
  /** For LogStore: another built checkout. */
  readonly checkout?: string | undefined;
}

export interface ServerModule {
  /** Resolves when it accepts connections. Throws `Skipped` if it is not there. */
  start(options: ServerOptions): Promise<RunningServer>;
}

export interface RunningServer {
  readonly address: string;
  readonly version: string;
  /** How it is set up, for the reader of the figures. */
  readonly settings: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

export interface ClientOptions {
  readonly way?: string | undefined;
  readonly durability: Durability;
  readonly certificate?: Certificate | undefined;
  /** For LogStore: another built checkout. */
  readonly checkout?: string | undefined;
}

export interface ClientModule {
  /** How the client is used, for the reader of the figures. */
  readonly settings: string;
  connect(address: string, options: ClientOptions): Promise<LogConnection>;
}

export interface LogConnection {
  /** With one partition. */
  createTopic(topic: string): Promise<void>;
  deleteTopic(topic: string): Promise<void>;
  /** Sends all values of the source as fast as it can; resolves when all are acknowledged. */
  produce(topic: string, source: Source): Promise<void>;
  /**
   * In place of `produce`, for clients that send what was made before: makes all messages; the
   * returned function, which is what is timed, sends them.
   */
  prepare?(topic: string, source: Source): () => Promise<void>;
  /** Reads that many values from the start of the topic. */
  consume(topic: string, sink: Sink, count: number): Promise<void>;
  /**
   * Duration of the last `produce` or `consume` in ms, without what a user would not wait for, as
   * the start of a tool. Undefined: what the caller measured.
   */
  lastMs?(): number | undefined;
  /** For latencies; undefined where the client has no such use. */
  live?(topic: string): Promise<LiveTopic>;
  close(): Promise<void>;
}

/** A producer of single values, and a consumer at the end of the same topic. */
export interface LiveTopic {
  /** Does not wait; a failure rejects `flush`. */
  send(value: Buffer): void;
  /** Calls for each new value, from now on. Resolves when it is there for the next one. */
  tail(use: (value: Uint8Array) => void): Promise<void>;
  flush(): Promise<void>;
  close(): Promise<void>;
}
