/**
 * Looks at the streams of partitions without the engine: every message must be one that
 * docs/format/jetstream.md allows at its place. A data or state message of a former owner, a gap in
 * the offsets, and a missing message are problems.
 */
import { type JetStreamManager, jetstreamManager, type StoredMsg } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";

const REQUEST_MS = 2_000;

/** What the messages before say about the next one. */
interface Progress {
  sequence: number;
  epoch: number;
  nextOffset: number;
  position: number;
}

export class StreamAudit {
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #progress = new Map<string, Progress>();
  /** Epoch records that were found. */
  takeovers = 0;
  readonly problems: string[] = [];

  private constructor(connection: NatsConnection, manager: JetStreamManager) {
    this.#connection = connection;
    this.#manager = manager;
  }

  static async begin(servers: string[]): Promise<StreamAudit> {
    const lasting = { timeout: 1_000, maxReconnectAttempts: -1, reconnectTimeWait: 200, pingInterval: 1_000 };
    const connection = await connect({ servers, ...lasting });
    return new StreamAudit(connection, await jetstreamManager(connection, { timeout: REQUEST_MS, checkAPI: false }));
  }

  /** Name of the server that leads a stream, as soon as there is one. */
  async leader(stream: string): Promise<string> {
    for (;;) {
      const info = await this.#manager.streams.info(stream).catch(() => undefined);
      if (info?.cluster?.leader) return info.cluster.leader;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Looks at the messages that were added since the last look. */
  async look(stream: string): Promise<void> {
    const progress = this.#progress.get(stream) ?? { sequence: 0, epoch: 0, nextOffset: 0, position: 0 };
    this.#progress.set(stream, progress);
    const { state } = await this.#manager.streams.info(stream);
    // What was purged before it was seen cannot be looked at.
    const from = Math.max(progress.sequence + 1, state.first_seq);
    const isGap = from > progress.sequence + 1;
    if (isGap) Object.assign(progress, { sequence: from - 1, epoch: 0, nextOffset: -1 });
    while (progress.sequence < state.last_seq) {
      const query = { seq: progress.sequence + 1, next_by_subj: ">" };
      const message = await this.#manager.streams.getMessage(stream, query);
      if (message === null) return;
      this.#check(stream, message, progress);
    }
  }

  #check(stream: string, message: StoredMsg, progress: Progress): void {
    const number = (header: string) => Number(message.header.get(`LogStore-${header}`));
    const problem = (what: string) => this.problems.push(`${stream}: message ${message.seq} ${what}`);
    if (message.seq !== progress.sequence + 1) problem(`follows ${progress.sequence}`);
    progress.sequence = message.seq;
    if (message.subject.endsWith(".epoch")) {
      progress.epoch = message.seq;
      this.takeovers++;
      return;
    }
    const epoch = number("Epoch");
    if (progress.epoch !== 0 && epoch !== progress.epoch)
      problem(`has epoch ${epoch}, and the owner ${progress.epoch}`);
    if (!message.subject.endsWith(".data")) return;
    const [base, position] = [number("Base-Offset"), number("Position")];
    const isFirst = progress.nextOffset === -1;
    if (!isFirst && base !== progress.nextOffset) problem(`begins at offset ${base}, not ${progress.nextOffset}`);
    if (!isFirst && position !== progress.position) problem(`begins at byte ${position}, not ${progress.position}`);
    progress.nextOffset = number("Next-Offset");
    progress.position = position + message.data.length;
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}
