/** The KV bucket: keys with compare-and-set, read from the leader, and a watch. */
import { PubHeaders } from "@nats-io/jetstream";
import { type KV, type KvEntry, Kvm, type KvWatchEntry, KvWatchInclude } from "@nats-io/kv";
import { headers } from "@nats-io/transport-node";
import { askAgain, untilHeard } from "./ask-again.js";
import { isWrongSequence } from "./failures.js";
import type { Nats } from "./nats.js";

export interface BucketEntry {
  readonly value: Uint8Array;
  readonly revision: number;
}

export class Bucket {
  readonly #nats: Nats;
  readonly #name: string;
  readonly #kv: KV;

  private constructor(nats: Nats, name: string, kv: KV) {
    this.#nats = nats;
    this.#name = name;
    this.#kv = kv;
  }

  /** How long one request may take, in ms. */
  get requestTimeoutMs(): number {
    return this.#nats.requestTimeoutMs;
  }

  /** Largest value of a key, in bytes. */
  get maxValueBytes(): number {
    return this.#nats.maxBodyBytes;
  }

  static async open(nats: Nats, name: string): Promise<Bucket> {
    // No direct gets: a replica that lags would answer with an old value.
    const options = { replicas: nats.replicas, history: 1, allow_direct: false };
    const kv = await askAgain(nats.requestTimeoutMs, () => new Kvm(nats.js).create(name, options));
    return new Bucket(nats, name, kv);
  }

  async get(key: string): Promise<BucketEntry | undefined> {
    const entry = await this.#entry(key);
    return entry?.operation === "PUT" ? { value: entry.value, revision: entry.revision } : undefined;
  }

  /** All keys that match a filter. */
  async keys(filter: string): Promise<string[]> {
    const keys: string[] = [];
    const found = await askAgain(
      this.#nats.requestTimeoutMs,
      () => this.#kv.keys(filter),
      (late) => late.stop(),
    );
    for await (const key of found) keys.push(key);
    return keys;
  }

  /**
   * Sets a key that has this revision, 0 if it does not exist; undefined if it has another one.
   *
   * @param timeoutMs how long its request waits for an answer. Default: `requestTimeoutMs`
   */
  async set(key: string, value: Uint8Array, revision: number, timeoutMs?: number): Promise<number | undefined> {
    const set = await this.#change(key, value, revision, { timeoutMs });
    if (set !== undefined || revision !== 0) return set;
    const entry = await this.#entry(key); // a deleted key has a revision, that of its deletion
    if (entry === null || entry.operation === "PUT") return undefined;
    return this.#change(key, value, entry.revision, { timeoutMs });
  }

  /**
   * Deletes a key that has this revision; resolves to the revision of its deletion, or to undefined
   * if it has another one.
   */
  delete(key: string, revision: number): Promise<number | undefined> {
    return this.#change(key, new Uint8Array(), revision, { operation: "DEL" });
  }

  /** Calls back with each later change of a key that matches a filter, until it is stopped. */
  watch(filter: string, changed: (entry: KvWatchEntry) => void): Promise<{ stop(): void }> {
    return this.#watch([filter], KvWatchInclude.UpdatesOnly, changed);
  }

  /**
   * Calls back with the last change of each key that matches a filter, and then with each later
   * one, in the order in which they were stored, until it is stopped.
   */
  follow(filters: readonly string[], changed: (entry: KvWatchEntry) => void): Promise<{ stop(): void }> {
    return this.#watch(filters, KvWatchInclude.LastValue, changed);
  }

  #entry(key: string): Promise<KvEntry | null> {
    return askAgain(this.#nats.requestTimeoutMs, () => this.#kv.get(key));
  }

  async #watch(
    filters: readonly string[],
    include: KvWatchInclude,
    changed: (entry: KvWatchEntry) => void,
  ): Promise<{ stop(): void }> {
    const watch = await askAgain(
      this.#nats.requestTimeoutMs,
      () => this.#kv.watch({ key: [...filters], include }),
      (late) => late.stop(),
    );
    void (async () => {
      for await (const entry of watch) changed(entry);
    })().catch(() => {}); // it ends with the connection
    return watch;
  }

  async #change(
    key: string,
    value: Uint8Array,
    revision: number,
    { operation, timeoutMs }: { readonly operation?: "DEL"; readonly timeoutMs?: number | undefined } = {},
  ): Promise<number | undefined> {
    const all = headers();
    if (operation !== undefined) all.set("KV-Operation", operation);
    all.set(PubHeaders.ExpectedLastSubjectSequenceHdr, `${revision}`);
    const subject = `$KV.${this.#name}.${key}`;
    const limitMs = Math.min(timeoutMs ?? Number.POSITIVE_INFINITY, this.#nats.requestTimeoutMs);
    try {
      const publish = (timeout: number) => this.#nats.js.publish(subject, value, { headers: all, timeout });
      return (await untilHeard(limitMs, publish)).seq;
    } catch (error) {
      if (isWrongSequence(error)) return undefined;
      throw error;
    }
  }
}
