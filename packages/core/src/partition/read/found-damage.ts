/**
 * Damage that reads find after a log was opened. Opening checks a log from its checkpoint on;
 * earlier parts are first checked by readers. The log continues to accept appends, and records
 * after the damage can be read.
 */
import { CorruptPartitionError, LogStoreError, StorageFailedError } from "@logstore/codec";
import { isDiskTrouble } from "../../storage/disk-trouble.js";
import { codeOf } from "../../storage/io-trouble.js";

export type Damage = CorruptPartitionError | StorageFailedError;

/** Largest number of damaged positions that are remembered. */
const MAX_PLACES = 100;

export class FoundDamage {
  /** By the offset at which a read failed. */
  #found: Map<number, Damage> | undefined;

  /** The damage with the lowest offset. */
  get first(): Damage | undefined {
    if (this.#found === undefined || this.#found.size === 0) return undefined;
    return this.#found.get(Math.min(...this.#found.keys()));
  }

  /** Returns whether the error is new damage. */
  add(error: unknown): error is Damage {
    if (!isDamage(error)) return false;
    const offset = error.offset ?? 0;
    this.#found ??= new Map();
    if (this.#found.has(offset) || this.#found.size === MAX_PLACES) return false;
    this.#found.set(offset, error);
    return true;
  }

  /**
   * Records from `from` up to `to` have been read. This clears an earlier read error of the disk in
   * that range; corruption remains, because not every read checks everything.
   */
  wasRead(from: number, to: number): void {
    if (this.#found === undefined) return;
    for (const [offset, { code }] of this.#found) {
      if (code === "STORAGE_FAILED" && from <= offset && offset < to) this.#found.delete(offset);
    }
  }

  /** The log now begins at `offset`: earlier damage no longer matters. */
  startsAt(offset: number): void {
    for (const found of this.places()) if (found < offset) this.#found?.delete(found);
  }

  /**
   * The currently known positions, to be {@link forget forgotten} if everything is read afterwards
   * without a fault.
   */
  places(): readonly number[] {
    return this.#found === undefined ? [] : [...this.#found.keys()];
  }

  forget(places: readonly number[]): void {
    for (const offset of places) this.#found?.delete(offset);
  }
}

/** Neither a mistake of the reader nor a lack of file descriptors, which is temporary. */
function isDamage(error: unknown): error is Damage {
  if (error instanceof CorruptPartitionError) return true;
  if (!(error instanceof StorageFailedError)) return false;
  const code = systemCodeOf(error);
  return code === "ENOENT" || isDiskTrouble({ code });
}

/** The code of the innermost system error. */
function systemCodeOf(error: Error): string {
  let cause: unknown = error;
  while (cause instanceof LogStoreError) ({ cause } = cause);
  return codeOf(cause);
}
