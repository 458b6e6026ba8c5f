import { InvalidArgumentError } from "@logstore/codec";
import type { LogApi, TopicPartition } from "@logstore/protocol";
import type { Closable, Registry } from "../common/registry.js";
import type { ConsumerOptions } from "../group/consumer-options.js";
import { GroupReader, type LeaveOptions } from "../group/group-reader.js";
import { type InFlight, InHand } from "../group/in-flight.js";
import type { OwnedPartition } from "../group/owned-partition.js";

/** The loop or run that a consumer executes now, or executed last. One runs at a time. */
export class CurrentReading<T, K> {
  readonly #api: LogApi;
  readonly #options: ConsumerOptions<T, K>;
  /** Holds the consumer while it reads, so that closing the client closes it. */
  readonly #registry: Registry;
  #reader: GroupReader<T, K> | undefined;
  #inFlight: InFlight = new InHand();
  #isClosed = false;

  constructor(api: LogApi, options: ConsumerOptions<T, K>, registry: Registry) {
    this.#api = api;
    this.#options = options;
    this.#registry = registry;
  }

  /** Records that the application is working on. */
  get inFlight(): InFlight {
    return this.#inFlight;
  }

  get assignment(): TopicPartition[] {
    return (this.#reader?.rebalance.owned ?? []).map(({ topic, partition }) => ({ topic, partition }));
  }

  /** An assigned partition; undefined where it is not assigned to this member. */
  find(topic: string, partition: number): OwnedPartition | undefined {
    return this.#reader?.rebalance.find(topic, partition);
  }

  /** @throws InvalidArgumentError where nothing was read yet */
  get reader(): GroupReader<T, K> {
    if (this.#reader !== undefined) return this.#reader;
    throw new InvalidArgumentError("this consumer is not reading yet: begin a loop first");
  }

  /**
   * Joins the group; after {@link close} the reading ends at once.
   *
   * @throws InvalidArgumentError while another loop runs; ClosedError
   */
  begin(consumer: Closable, inFlight: InFlight): GroupReader<T, K> {
    if (this.#reader !== undefined && !this.#reader.merge.hasEnded) {
      throw new InvalidArgumentError("this consumer is reading already: use another consumer for another loop");
    }
    this.#registry.addReader(consumer);
    this.#inFlight = inFlight;
    const reader: GroupReader<T, K> = new GroupReader(this.#api, this.#options, inFlight, () => {
      if (this.#reader === reader) this.#registry.delete(consumer); // otherwise another loop has begun
    });
    this.#reader = reader;
    if (this.#isClosed) reader.merge.end();
    else reader.start();
    return reader;
  }

  async close(options: LeaveOptions): Promise<void> {
    this.#isClosed = true;
    this.#inFlight.release();
    await this.#reader?.leave(options);
  }
}
