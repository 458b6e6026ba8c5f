/**
 * Allocates producer ids, each only once. A block of ids is reserved durably before the first one
 * is used; after a crash the rest of the block is skipped. Ids count up from 1, far below the ids
 * that producers choose for themselves, which are random with 52 bits.
 */
import { StorageFailedError } from "@logstore/codec";
import type { DurableMap } from "../engine/durable-map.js";
import { decodeCheckedJson, encodeCheckedJson } from "../files/checked-json.js";

const KEY = "producer-ids";
const BLOCK = 1000;

interface Content {
  readonly formatVersion: 1;
  /** Every id below this one may be allocated. */
  readonly next: number;
}

export class ProducerIds {
  readonly #map: DurableMap;
  #next = 0;
  /** The end of the reserved block. */
  #reserved = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(map: DurableMap) {
    this.#map = map;
  }

  /**
   * @throws StorageFailedError if the reservation cannot be written, or the previous one is
   * damaged: an id must not be allocated twice; UnavailableError
   */
  next(): Promise<number> {
    const next = this.#last.then(() => this.#take());
    this.#last = next.catch(() => {});
    return next;
  }

  /** Resolves when no allocation is in progress. */
  async settle(): Promise<void> {
    await this.#last;
  }

  async #take(): Promise<number> {
    if (this.#next >= this.#reserved) await this.#reserve();
    return this.#next++;
  }

  /** Reserves the next block, after those that other brokers have reserved. */
  async #reserve(): Promise<void> {
    for (;;) {
      const found = await this.#map.get(KEY);
      const first = found === undefined ? 1 : decoded(found.value);
      const content: Content = { formatVersion: 1, next: first + BLOCK };
      const isSet = await this.#map.compareAndSet(KEY, encodeCheckedJson(content), found?.revision ?? 0);
      if (isSet === undefined) continue;
      this.#next = first;
      this.#reserved = first + BLOCK;
      return;
    }
  }
}

function decoded(value: Uint8Array): number {
  const content = decodeCheckedJson(value) as Content | undefined;
  if (content?.formatVersion === 1) return content.next;
  throw new StorageFailedError(
    `${KEY} is damaged, and the producer ids that were allocated are not known: restore it from a copy, or remove it if no producer uses an id from it any more`,
    { file: KEY },
  );
}
