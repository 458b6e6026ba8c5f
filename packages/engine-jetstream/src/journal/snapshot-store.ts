/** The snapshot of a journal: pieces in a stream, and a key that says which ones are current. */
import { randomUUID } from "node:crypto";
import { StorageFailedError } from "@logstore/codec";
import type { SnapshotReader, SnapshotSink } from "@logstore/core/engine";
import { DiscardPolicy, StorageType } from "@nats-io/jetstream";
import { askAgain, untilHeard } from "../nats/ask-again.js";
import type { Bucket } from "../nats/bucket.js";
import { available, unavailable } from "../nats/failures.js";
import { type Names, type StreamNames, snapshotKey } from "../nats/names.js";
import type { Nats } from "../nats/nats.js";

const PIECE_BYTES = 512 * 1024;

/** The value of the key. */
interface Current {
  readonly id: string;
  /** Of the journal's owner that wrote it; 0 if the journal is not shared. */
  readonly epoch: number;
  readonly pieces: number;
  readonly pieceBytes: number;
  readonly bytes: number;
}

export class SnapshotStore {
  readonly #nats: Nats;
  readonly #names: StreamNames;
  readonly #bucket: Bucket;
  readonly #key: string;

  constructor(nats: Nats, names: Names, bucket: Bucket, broker: string) {
    this.#nats = nats;
    this.#names = names.snapshot(broker);
    this.#bucket = bucket;
    this.#key = snapshotKey(broker);
  }

  /** Undefined if there is none. */
  async open(): Promise<SnapshotReader | undefined> {
    const { current } = await available("the groups' snapshot cannot be read", this.#current());
    if (current === undefined) return undefined;
    const { id, pieceBytes, bytes } = current;
    let piece: { readonly index: number; readonly data: Uint8Array } = { index: -1, data: new Uint8Array() };
    const read = async (into: Uint8Array, position: number) => {
      if (position >= bytes) return 0;
      const index = Math.floor(position / pieceBytes);
      if (piece.index !== index) piece = { index, data: await this.#piece(id, index) };
      const found = piece.data.subarray(position - index * pieceBytes).subarray(0, into.length);
      into.set(found);
      return found.length;
    };
    return { read, close: async () => {} };
  }

  /**
   * Replaces the snapshot by what `write` puts into the sink. If `write` rejects, the old one
   * stays.
   *
   * @param epoch of the journal's owner; the snapshot of a later owner is not replaced
   */
  async replace(epoch: number, write: (sink: SnapshotSink) => Promise<void>): Promise<void> {
    const what = "the groups' snapshot cannot be replaced";
    await available(what, this.#createStream());
    const id = randomUUID();
    const pieceBytes = Math.min(PIECE_BYTES, this.#nats.maxBodyBytes);
    const publish = (piece: number, data: Uint8Array) => available(what, this.#publish(id, piece, data));
    let [pieces, bytes, rest] = [0, 0, Buffer.alloc(0)];
    let mayBeCurrent = false;
    try {
      await write(async (more) => {
        rest = Buffer.concat([rest, ...more]);
        for (; rest.length >= pieceBytes; rest = rest.subarray(pieceBytes)) {
          await publish(pieces++, rest.subarray(0, pieceBytes));
          bytes += pieceBytes;
        }
      });
      if (rest.length > 0) await publish(pieces++, rest);
      bytes += rest.length;
      const { current, revision } = await available(what, this.#current());
      if (current !== undefined && current.epoch > epoch) throw unavailable(what, "a later owner has replaced it");
      mayBeCurrent = true; // from now on, unless the key is refused
      const next: Current = { id, epoch, pieces, pieceBytes, bytes };
      const set = this.#bucket.set(this.#key, Buffer.from(JSON.stringify(next)), revision);
      mayBeCurrent = (await available(what, set)) !== undefined;
      if (!mayBeCurrent) throw unavailable(what, "another broker has replaced it");
      if (current !== undefined) await this.#remove(current.id).catch(() => {});
    } catch (error) {
      if (!mayBeCurrent) await this.#remove(id).catch(() => {});
      throw error;
    }
  }

  async #current(): Promise<{ current: Current | undefined; revision: number }> {
    const entry = await this.#bucket.get(this.#key);
    if (entry === undefined) return { current: undefined, revision: 0 };
    return { current: JSON.parse(Buffer.from(entry.value).toString()), revision: entry.revision };
  }

  async #publish(id: string, piece: number, data: Uint8Array): Promise<void> {
    const { js, requestTimeoutMs } = this.#nats;
    const publish = (timeout: number) => js.publish(`${this.#names.subject}.${id}.${piece}`, data, { timeout });
    await untilHeard(requestTimeoutMs, publish);
  }

  async #piece(id: string, index: number): Promise<Uint8Array> {
    const { manager, requestTimeoutMs } = this.#nats;
    const query = { last_by_subj: `${this.#names.subject}.${id}.${index}` };
    const ask = () => manager.streams.getMessage(this.#names.stream, query);
    const found = await available("the groups' snapshot cannot be read", askAgain(requestTimeoutMs, ask));
    if (found !== null) return found.data;
    throw new StorageFailedError(`piece ${index} of the groups' snapshot is missing in stream ${this.#names.stream}`);
  }

  async #remove(id: string): Promise<void> {
    await this.#nats.manager.streams.purge(this.#names.stream, { filter: `${this.#names.subject}.${id}.*` });
  }

  async #createStream(): Promise<void> {
    const { manager, requestTimeoutMs } = this.#nats;
    const config = {
      name: this.#names.stream,
      subjects: [`${this.#names.subject}.>`],
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      num_replicas: this.#nats.replicas,
    };
    await untilHeard(requestTimeoutMs, () => manager.streams.add(config));
  }
}
