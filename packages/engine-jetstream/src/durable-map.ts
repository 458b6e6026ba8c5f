/** The map of the engine: keys of the bucket. */
import type { DurableMap, MapEntry } from "@logstore/core/engine";
import type { Bucket } from "./nats/bucket.js";
import { available } from "./nats/failures.js";
import { mapKey } from "./nats/names.js";

export class JetStreamMap implements DurableMap {
  readonly #bucket: Bucket;

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  get(key: string): Promise<MapEntry | undefined> {
    return available(`key ${key} cannot be read`, this.#bucket.get(mapKey(key)));
  }

  compareAndSet(key: string, value: Uint8Array, revision: number): Promise<number | undefined> {
    return available(
      `it is not known whether key ${key} was set`,
      this.#bucket.set(mapKey(key), value.slice(), revision),
    );
  }
}
