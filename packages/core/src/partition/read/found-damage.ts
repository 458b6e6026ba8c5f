/**
 * Damage that reads come upon after a log was opened. Opening checks a log from its checkpoint on:
 * what lies before is first looked at by whoever reads it. The log goes on to take appends, and
 * what lies behind the damage can be read.
 */
import { CorruptPartitionError, LogStoreError, StorageFailedError } from "@logstore/codec";
import { isDiskTrouble } from "../../storage/disk-trouble.js";
import { codeOf } from "../../storage/io-trouble.js";

export type Damage = CorruptPartitionError | StorageFailedError;

/** A log that is damaged in more places is told of these. */
const MAX_PLACES = 100;

export class FoundDamage {
  /** By the offset at which a read failed. */
  readonly #found = new Map<number, Damage>();

  /** The damage with the lowest offset. */
  get first(): Damage | undefined {
    if (this.#found.size === 0) return undefined;
    return this.#found.get(Math.min(...this.#found.keys()));
  }

  /** Returns whether the error is damage that was not known. */
  add(error: unknown): error is Damage {
    if (!isDamage(error)) return false;
    const offset = error.offset ?? 0;
    if (this.#found.has(offset) || this.#found.size === MAX_PLACES) return false;
    this.#found.set(offset, error);
    return true;
  }

  /**
   * Records from `from` up to `to` could be read. That a disk could not be read there before is
   * over; what was found corrupt stays, for not every read checks everything.
   */
  wasRead(from: number, to: number): void {
    if (this.#found.size === 0) return;
    for (const [offset, { code }] of this.#found) {
      if (code === "STORAGE_FAILED" && from <= offset && offset < to) this.#found.delete(offset);
    }
  }

  /** The log begins at `offset`: what lies before it concerns nobody any more. */
  startsAt(offset: number): void {
    for (const found of this.#found.keys()) if (found < offset) this.#found.delete(found);
  }

  /**
   * The places that are known now: to be {@link forget forgotten} where everything is read and
   * found right afterwards.
   */
  places(): readonly number[] {
    return [...this.#found.keys()];
  }

  forget(places: readonly number[]): void {
    for (const offset of places) this.#found.delete(offset);
  }
}

/** Not what a reader did wrong, nor a lack of descriptors, which passes. */
function isDamage(error: unknown): error is Damage {
  if (error instanceof CorruptPartitionError) return true;
  if (!(error instanceof StorageFailedError)) return false;
  const code = systemCodeOf(error);
  return code === "ENOENT" || isDiskTrouble({ code });
}

/** What the system said first. */
function systemCodeOf(error: Error): string {
  let cause: unknown = error;
  while (cause instanceof LogStoreError) ({ cause } = cause);
  return codeOf(cause);
}
