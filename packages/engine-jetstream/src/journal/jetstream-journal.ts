/** The groups' journal of one broker. */
import type { JournalStore, SnapshotReader, SnapshotSink } from "@logstore/core/engine";
import type { Bucket } from "../nats/bucket.js";
import { available } from "../nats/failures.js";
import type { Names } from "../nats/names.js";
import type { Nats } from "../nats/nats.js";
import { PartitionStream } from "../nats/partition-stream.js";
import { JetStreamLog, type LogContext } from "../partition/jetstream-log.js";
import { SnapshotStore } from "./snapshot-store.js";

export class JetStreamJournal implements JournalStore {
  readonly location: string;
  readonly #stream: PartitionStream;
  readonly #snapshots: SnapshotStore;
  readonly #context: LogContext;
  #log: JetStreamLog | undefined;

  constructor(nats: Nats, names: Names, bucket: Bucket, context: LogContext) {
    const { broker } = context;
    this.#stream = new PartitionStream(nats, names.journal(broker));
    this.#snapshots = new SnapshotStore(nats, names, bucket, broker);
    this.#context = context;
    this.location = `stream ${this.#stream.names.stream}`;
  }

  async open(): Promise<JetStreamLog | undefined> {
    const exists = await available("the groups' journal cannot be opened", this.#stream.exists());
    return exists ? this.#opened() : undefined;
  }

  async make(): Promise<JetStreamLog> {
    const metadata = { "logstore-journal": this.#context.broker };
    await available("the groups' journal cannot be created", this.#stream.create(metadata));
    return this.#opened();
  }

  openSnapshot(): Promise<SnapshotReader | undefined> {
    return this.#snapshots.open();
  }

  replaceSnapshot(write: (sink: SnapshotSink) => Promise<void>): Promise<void> {
    return this.#snapshots.replace(write);
  }

  async close(): Promise<void> {
    await this.#log?.close();
  }

  async #opened(): Promise<JetStreamLog> {
    if (this.#log === undefined) {
      const config = { durability: this.#context.durabilities.at(-1)!, maxBatchBytes: this.#stream.maxBodyBytes };
      this.#log = new JetStreamLog(0, this.#stream, this.#context, () => config, Number.POSITIVE_INFINITY);
    }
    await this.#log.refresh();
    return this.#log;
  }
}
