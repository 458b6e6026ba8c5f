import {
  fnvPartitioner,
  InconsistentTopicIdError,
  PartitionerMismatchError,
  UnknownPartitionError,
} from "@logstore/codec";
import type { LogApi, TopicDescription } from "@logstore/protocol";
import type { AppendAck } from "./append-ack.js";
import type { Entry } from "./entry.js";
import { partitionOf } from "./partition-of.js";
import { PartitionSender } from "./partition-sender.js";
import { randomProducerId } from "./producer-sequence.js";
import type { SenderListener, SenderOptions } from "./sender-options.js";
import { StickyPartition } from "./sticky-partition.js";

/** Where a producer's records go, as only the client itself may ask for it. */
export interface ProducerTarget {
  /** Id that the topic must have. Default: any. */
  readonly onlyTopicId?: string | undefined;
  /** Whether records get the strongest durability that the topic offers. Default false. */
  readonly isStrongest?: boolean | undefined;
}

/** What a producer is told about its senders. */
export interface SendersListener extends Pick<SenderListener, "released"> {
  /** Called when the topic is described, and when another topic has taken its place. */
  described(partitionCount: number): void;
}

/** The topic that a producer sends to. */
interface ProducerTopic extends ProducerTarget {
  readonly topic: string;
}

/**
 * The senders of a producer, one a partition. They are made from the topic's description, and made
 * anew only for another topic of the name: new senders of the same topic would overtake the records
 * that wait in the former ones.
 */
export class TopicSenders {
  readonly #api: LogApi;
  readonly #target: ProducerTopic;
  readonly #options: SenderOptions;
  readonly #listener: SendersListener;
  /** Undefined until the topic is described. */
  #senders: PartitionSender[] | undefined;
  #topicId: string | undefined;
  /** Whether the topic is to be described again before the next record. */
  #isOutdated = false;
  /** Senders of a deleted topic, until each of their records is refused. */
  readonly #retired = new Set<PartitionSender>();
  #partitioner = "";
  #learning: Promise<void> | undefined;
  #sticky: StickyPartition;

  constructor(api: LogApi, target: ProducerTopic, options: SenderOptions, listener: SendersListener) {
    this.#api = api;
    this.#target = target;
    this.#options = options;
    this.#listener = listener;
    this.#sticky = new StickyPartition(options.batchBytes);
  }

  /** Whether the topic's partitions are known. */
  get isReady(): boolean {
    return this.#senders !== undefined && !this.#isOutdated;
  }

  /** Describes the topic unless its partitions are known. A failure is not kept. */
  learn(): Promise<void> {
    if (this.isReady) return Promise.resolve();
    this.#learning ??= this.#api
      .describeTopic(this.#target.topic)
      .then((described) => {
        this.#checkTopicId(described.topicId);
        this.#partitioner = described.partitioner;
        this.#isOutdated = false;
        if (!this.#isSameTopic(described)) this.#replaceSenders(described);
      })
      .finally(() => {
        this.#learning = undefined;
      });
    return this.#learning;
  }

  /**
   * Gives a record to the sender of its partition. The partitions must be known. Returns the
   * promise of its acknowledgement, unless the entry has a waiter.
   *
   * @throws UnknownPartitionError, PartitionerMismatchError; RecordTooLargeError,
   * InvalidArgumentError for a record that no batch takes
   */
  append(entry: Entry): Promise<AppendAck> | undefined {
    return this.#senderFor(entry).append(entry);
  }

  /** Sends open batches without waiting for more records. */
  hurry(): void {
    for (const sender of this.#senders ?? []) sender.hurry();
  }

  /** Lets no open batch linger. */
  endLinger(): void {
    for (const sender of this.#senders ?? []) sender.endLinger();
  }

  /** Resolves when every record given so far is settled. */
  async flush(): Promise<void> {
    await Promise.all(this.#all.map((sender) => sender.flush()));
  }

  /** Rejects every record that is not settled yet. */
  abandon(error: unknown): void {
    for (const sender of this.#all) sender.abandon(error);
  }

  get #all(): PartitionSender[] {
    return [...this.#retired, ...(this.#senders ?? [])];
  }

  #senderFor({ key, partition, bytes }: Entry): PartitionSender {
    const senders = this.#senders!;
    if (partition === undefined && key !== null) this.#checkPartitioner();
    const chosen =
      partition ?? (key === null ? this.#stickyPartition(bytes, senders) : partitionOf(key, senders.length));
    const sender = senders[chosen];
    if (sender !== undefined) return sender;
    this.#isOutdated = true; // the topic may have been created anew, with more partitions
    const { topic } = this.#target;
    throw new UnknownPartitionError(`topic ${topic} has ${senders.length} partitions, and no partition ${chosen}`, {
      topic,
      partition: chosen,
      expected: senders.length,
    });
  }

  #stickyPartition(bytes: number, senders: readonly PartitionSender[]): number {
    const before = senders[this.#sticky.partition]!;
    const { hasOpenBatch } = before;
    const chosen = this.#sticky.next(bytes, hasOpenBatch, senders.length);
    if (hasOpenBatch && senders[chosen] !== before) before.hurry(); // its batch is full
    return chosen;
  }

  /** Senders that share a new producer id, so that their sequences start at 0. */
  #sendersFor({ topicId, partitions, effectiveConfig, durabilities }: TopicDescription): PartitionSender[] {
    const producerId = randomProducerId();
    const { maxBatchBytes } = effectiveConfig;
    // Servers of release 0.1.0 do not report what they offer: "flushed" is their strongest.
    const strongest = durabilities.at(-1) ?? "flushed";
    const durability = this.#target.isStrongest ? strongest : this.#options.durability;
    const options = { ...this.#options, durability, maxBatchBytes };
    const topicGone = () => {
      if (this.#topicId === topicId) this.#isOutdated = true;
    };
    const listener = { released: this.#listener.released, topicGone };
    return partitions.map(({ partition }) => {
      const target = { topic: this.#target.topic, topicId, partition };
      return new PartitionSender(this.#api, target, producerId, options, listener);
    });
  }

  #isSameTopic({ topicId, partitions }: TopicDescription): boolean {
    return topicId === this.#topicId && partitions.length === this.#senders?.length;
  }

  /** Records of the former senders are still sent to the deleted topic's id, and refused there. */
  #replaceSenders(described: TopicDescription): void {
    const former = this.#senders ?? [];
    this.#topicId = described.topicId;
    this.#sticky = new StickyPartition(this.#options.batchBytes);
    this.#senders = this.#sendersFor(described);
    this.#listener.described(described.partitions.length);
    for (const sender of former) {
      this.#retired.add(sender);
      void sender.flush().then(() => this.#retired.delete(sender));
    }
  }

  #checkTopicId(topicId: string | undefined): void {
    const { topic, onlyTopicId } = this.#target;
    if (onlyTopicId === undefined || !topicId || topicId === onlyTopicId) return;
    throw new InconsistentTopicIdError(
      `topic ${topic} was deleted and created anew (its id is ${topicId}, not ${onlyTopicId}): nothing was sent to it`,
      { topic },
    );
  }

  #checkPartitioner(): void {
    if (this.#partitioner === fnvPartitioner.name) return;
    const { topic } = this.#target;
    throw new PartitionerMismatchError(
      `topic ${topic} maps keys by ${this.#partitioner}, which this client does not know: give each record its partition`,
      { topic },
    );
  }
}
