/** The stream of one partition: requests to NATS, and nothing of what the messages mean. */
import {
  DiscardPolicy,
  type MsgRequest,
  PubHeaders,
  RetentionPolicy,
  StorageType,
  type StoredMsg,
} from "@nats-io/jetstream";
import { headers } from "@nats-io/transport-node";
import { askAgain, FIRST_ATTEMPT_MS, untilHeard } from "./ask-again.js";
import { isStreamNotFound } from "./failures.js";
import type { MessageKind, StreamNames } from "./names.js";
import type { Nats } from "./nats.js";
import { type ReadBatchOptions, readBatch } from "./read-batch.js";

/** A message to publish. */
export interface Outgoing {
  readonly kind: MessageKind;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface ReadLimits {
  /** Unless the first message alone is larger. */
  readonly maxBytes: number;
  /** Default 256. */
  readonly maxMessages?: number | undefined;
  /** Default: all kinds. */
  readonly kind?: MessageKind;
  /** Called for each message as soon as it is there. */
  readonly arrived?: ((message: StoredMsg) => void) | undefined;
}

const MESSAGES_A_READ = 256;
/** A replica from which its leader has not heard for so long, in ns, counts for no quorum. */
const AWAY_AFTER_NS = 10_000_000_000;

export class PartitionStream {
  readonly names: StreamNames;
  readonly #nats: Nats;

  constructor(nats: Nats, names: StreamNames) {
    this.#nats = nats;
    this.names = names;
  }

  get maxBodyBytes(): number {
    return this.#nats.maxBodyBytes;
  }

  /** Creates the stream; it may exist already. */
  async create(metadata: Record<string, string>): Promise<void> {
    const { stream, subject } = this.names;
    const config = {
      name: stream,
      subjects: [`${subject}.*`],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.New,
      num_replicas: this.#nats.replicas,
      allow_direct: true,
      deny_delete: true,
      metadata,
    };
    const { manager, requestTimeoutMs } = this.#nats;
    await untilHeard(requestTimeoutMs, () => manager.streams.add(config));
  }

  async exists(): Promise<boolean> {
    try {
      const { manager, requestTimeoutMs } = this.#nats;
      await askAgain(requestTimeoutMs, () => manager.streams.info(this.names.stream));
      return true;
    } catch (error) {
      if (isStreamNotFound(error)) return false;
      throw error;
    }
  }

  /** Whether the stream has a leader, and enough replicas to store messages. */
  async hasQuorum(): Promise<boolean> {
    const { cluster } = await this.#nats.manager.streams.info(this.names.stream);
    if (cluster === undefined) return true; // a server without a cluster
    const others = cluster.replicas ?? [];
    const present = others.filter(({ offline, active }) => !offline && active < AWAY_AFTER_NS).length;
    return Boolean(cluster.leader) && 1 + present > (1 + others.length) / 2;
  }

  /** Deletes the stream, if it exists. */
  async delete(): Promise<void> {
    try {
      await this.#nats.manager.streams.delete(this.names.stream);
    } catch (error) {
      if (!isStreamNotFound(error)) throw error;
    }
  }

  /**
   * Publishes once, and again only while nobody hears it; resolves to the sequence of the message.
   * If it rejects, the message may be stored or not.
   *
   * @param after the message is stored only if this is the stream's last sequence
   * @param attempt number of earlier ones: each waits twice as long, so that a cluster that is slow
   *   is not sent the same again and again
   */
  async publish({ kind, headers: given, body }: Outgoing, after?: number, attempt?: number): Promise<number> {
    const all = headers();
    for (const [name, value] of Object.entries(given)) all.set(name, value);
    if (after !== undefined) all.set(PubHeaders.ExpectedLastSeqHdr, `${after}`);
    const { js, requestTimeoutMs } = this.#nats;
    const limitMs =
      attempt === undefined ? requestTimeoutMs : Math.min(FIRST_ATTEMPT_MS * 2 ** attempt, requestTimeoutMs);
    const publish = (timeout: number) => js.publish(`${this.names.subject}.${kind}`, body, { headers: all, timeout });
    return (await untilHeard(limitMs, publish)).seq;
  }

  /** The last message of a kind, according to the stream's leader. */
  async last(kind: MessageKind): Promise<StoredMsg | undefined> {
    return this.#ask({ last_by_subj: `${this.names.subject}.${kind}` });
  }

  /** The first message at `sequence` or after, according to the stream's leader. */
  async next(sequence: number, kind?: MessageKind): Promise<StoredMsg | undefined> {
    const query = { seq: sequence, next_by_subj: this.#filter(kind) };
    return this.#ask(query);
  }

  /**
   * Messages at `sequence` and after, oldest first, according to any replica, which may lag behind:
   * there may be more of them, or there may be the first one at all. A request of which nothing
   * arrives is made once more.
   */
  async read(sequence: number, limits: ReadLimits): Promise<StoredMsg[]> {
    const { maxBytes, maxMessages = MESSAGES_A_READ, kind, arrived } = limits;
    const query = {
      seq: Math.max(sequence, 1),
      next_by_subj: this.#filter(kind),
      batch: maxMessages,
      max_bytes: maxBytes,
    };
    const { manager, requestTimeoutMs } = this.#nats;
    const read = (options: ReadBatchOptions) => readBatch(manager.direct, this.names.stream, query, options);
    return untilHeard(requestTimeoutMs, async (timeoutMs) => {
      const first = await read({ firstMs: FIRST_ATTEMPT_MS, timeoutMs, arrived });
      return first ?? (await read({ timeoutMs, arrived })) ?? [];
    });
  }

  /** Deletes all messages before `sequence`. */
  async purgeBefore(sequence: number): Promise<void> {
    await this.#nats.manager.streams.purge(this.names.stream, { seq: sequence });
  }

  async #ask(query: MsgRequest): Promise<StoredMsg | undefined> {
    const { manager, requestTimeoutMs } = this.#nats;
    const ask = () => manager.streams.getMessage(this.names.stream, query);
    return (await askAgain(requestTimeoutMs, ask)) ?? undefined;
  }

  #filter(kind: MessageKind | undefined): string {
    return `${this.names.subject}.${kind ?? "*"}`;
  }
}
