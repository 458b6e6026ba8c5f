/** A journal of groups. */
import { UnavailableError } from "@logstore/codec";
import type { JournalStore, SnapshotReader, SnapshotSink } from "@logstore/core/engine";
import type { Bucket } from "../nats/bucket.js";
import { available } from "../nats/failures.js";
import type { Names } from "../nats/names.js";
import type { Nats } from "../nats/nats.js";
import { PartitionStream } from "../nats/partition-stream.js";
import { JetStreamLog } from "../partition/jetstream-log.js";
import type { LogContext } from "../partition/log-options.js";
import type { Ownership } from "../partition/ownership.js";
import { SnapshotStore } from "./snapshot-store.js";

export class JetStreamJournal implements JournalStore {
  readonly location: string;
  readonly #name: string;
  readonly #stream: PartitionStream;
  readonly #snapshots: SnapshotStore;
  readonly #context: LogContext;
  readonly #ownership: Ownership | undefined;
  #log: JetStreamLog | undefined;
  /** The last attempt to open it failed. */
  #isClosedByFailure = false;

  /**
   * @param name that of the broker, or of a journal that brokers share
   * @param ownership undefined: only this broker opens it
   */
  constructor(nats: Nats, names: Names, bucket: Bucket, context: LogContext, name: string, ownership?: Ownership) {
    this.#name = name;
    this.#stream = new PartitionStream(nats, names.journal(name));
    this.#snapshots = new SnapshotStore(nats, names, bucket, name);
    this.#context = context;
    this.#ownership = ownership;
    this.location = `stream ${this.#stream.names.stream}`;
  }

  get isUnavailable(): boolean {
    return this.#isClosedByFailure || this.#log?.isUnavailable === true;
  }

  /** A shared journal is created, too: another broker may create it at the same time. */
  async open(): Promise<JetStreamLog | undefined> {
    if (this.#ownership !== undefined) return this.make();
    const exists = await available("the groups' journal cannot be opened", this.#stream.exists());
    return exists ? this.#opened() : undefined;
  }

  async make(): Promise<JetStreamLog> {
    try {
      const metadata = { "logstore-journal": this.#name };
      await available("the groups' journal cannot be created", this.#stream.create(metadata));
      const log = await this.#opened();
      this.#closedByFailure(false);
      return log;
    } catch (error) {
      this.#closedByFailure(error instanceof UnavailableError && this.#isOwn);
      throw error;
    }
  }

  openSnapshot(): Promise<SnapshotReader | undefined> {
    return this.#snapshots.open();
  }

  replaceSnapshot(write: (sink: SnapshotSink) => Promise<void>): Promise<void> {
    return this.#snapshots.replace(this.#ownership === undefined ? 0 : (this.#log?.epoch ?? 0), write);
  }

  async close(): Promise<void> {
    const log = this.#log;
    this.#log = undefined;
    if (log?.isUnavailable) this.#context.healthChanged();
    await log?.close();
  }

  /** What another broker owns is not this one's concern. */
  ownersChanged(): void {
    if (!this.#isOwn) this.#closedByFailure(false);
  }

  get #isOwn(): boolean {
    return this.#ownership === undefined || this.#ownership.term() !== undefined;
  }

  #closedByFailure(isSo: boolean): void {
    if (isSo === this.#isClosedByFailure) return;
    this.#isClosedByFailure = isSo;
    this.#context.healthChanged();
  }

  async #opened(): Promise<JetStreamLog> {
    if (this.#log !== undefined) return this.#log;
    const configOf = () => ({
      durability: this.#context.durabilities.at(-1)!,
      maxBatchBytes: this.#stream.maxBodyBytes,
    });
    const source = { journal: this.#name };
    const options = { ownership: this.#ownership, maxQueuedBytes: Number.POSITIVE_INFINITY, source };
    const log = new JetStreamLog(0, this.#stream, this.#context, configOf, options);
    await (this.#ownership === undefined ? log.refresh() : log.claim());
    this.#log = log;
    return log;
  }
}
