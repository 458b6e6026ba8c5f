/**
 * Producer ids that are handed out once. A block of them is noted as gone before the first of it is
 * used: after a crash the rest of the block is skipped. They are counted from 1 and stay far below
 * those that producers choose for themselves, which are random over 52 bits.
 */
import { StorageFailedError } from "@logstore/codec";
import type { DurableMap } from "../engine/durable-map.js";
import { decodeCheckedJson, encodeCheckedJson } from "../files/checked-json.js";

const KEY = "producer-ids";
const BLOCK = 1000;

interface Content {
  readonly formatVersion: 1;
  /** Every id below this one may have been handed out. */
  readonly next: number;
}

export class ProducerIds {
  readonly #map: DurableMap;
  #next = 0;
  /** Up to here they are noted as gone. */
  #reserved = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(map: DurableMap) {
    this.#map = map;
  }

  /**
   * @throws StorageFailedError where what is noted is damaged, for an id must not be handed out
   * twice, or cannot be written; UnavailableError
   */
  next(): Promise<number> {
    const next = this.#last.then(() => this.#take());
    this.#last = next.catch(() => {});
    return next;
  }

  /** Waits for what is under way. */
  async settle(): Promise<void> {
    await this.#last;
  }

  async #take(): Promise<number> {
    if (this.#next >= this.#reserved) await this.#reserve();
    return this.#next++;
  }

  /** Takes the next block. Another broker may have taken one since: then it is the one after it. */
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
    `${KEY} is damaged, and which producer ids were handed out is not known: restore it from a copy, or remove it if no producer uses an id from it any more`,
    { file: KEY },
  );
}
