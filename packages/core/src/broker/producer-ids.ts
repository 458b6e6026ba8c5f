/**
 * `producer-ids`: producer ids that are handed out once. A block of them is noted as gone before
 * the first of it is used: after a crash the rest of the block is skipped. They are counted from 1
 * and stay far below those that producers choose for themselves, which are random over 52 bits.
 */
import { StorageFailedError } from "@logstore/codec";
import { decodeCheckedJson, encodeCheckedJson } from "../files/checked-json.js";
import { readWholeFile, writeFileAtomically } from "../storage/atomic-file.js";
import type { Storage } from "../storage/storage.js";
import { withStorageErrors } from "../storage/storage-error.js";

const PRODUCER_IDS_FILE = "producer-ids";
const BLOCK = 1000;

interface Content {
  readonly formatVersion: 1;
  /** Every id below this one may have been handed out. */
  readonly next: number;
}

export class ProducerIds {
  readonly #storage: Storage;
  readonly #directory: string;
  /** Undefined until the file was read. */
  #next: number | undefined;
  /** Up to here they are noted as gone. */
  #reserved = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(storage: Storage, directory: string) {
    this.#storage = storage;
    this.#directory = directory;
  }

  /**
   * @throws StorageFailedError where the file is damaged, for an id must not be handed out twice;
   * or cannot be written
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
    return withStorageErrors("no producer id could be handed out", async () => {
      this.#next ??= await this.#read();
      if (this.#next >= this.#reserved) await this.#reserve(this.#next + BLOCK);
      return this.#next++;
    });
  }

  async #read(): Promise<number> {
    const content = await readWholeFile(this.#storage, `${this.#directory}/${PRODUCER_IDS_FILE}`);
    if (content === undefined) return 1;
    const parsed = decodeCheckedJson(content) as Content | undefined;
    if (parsed?.formatVersion === 1) return parsed.next;
    throw new StorageFailedError(
      `${this.#directory}/${PRODUCER_IDS_FILE} is damaged, and which ids were handed out is not known: restore it from a copy, or remove it if no producer uses an id from it any more`,
      { file: PRODUCER_IDS_FILE },
    );
  }

  async #reserve(next: number): Promise<void> {
    const content: Content = { formatVersion: 1, next };
    await writeFileAtomically(this.#storage, this.#directory, PRODUCER_IDS_FILE, encodeCheckedJson(content));
    this.#reserved = next;
  }
}
