/**
 * Charges the reads of one call to its principal's quota before they are made: of many concurrent
 * reads, those that the quota does not cover wait or are refused before they use any resources. The
 * actual size is known only afterwards; the difference is then credited.
 */
import { UnavailableError } from "@logstore/codec";
import type { ReadBudget } from "@logstore/protocol";
import type { ByteQuota } from "./quotas.js";

interface Surroundings {
  readonly quota: ByteQuota;
  /** The budget of the call without a quota, if there is one. */
  readonly budget: ReadBudget | undefined;
  /**
   * The signal that ends waiting for the quota; undefined if the call is refused instead of
   * waiting.
   */
  readonly waitFor: AbortSignal | undefined;
}

export class ChargedBudget implements ReadBudget {
  readonly #quota: ByteQuota;
  readonly #budget: ReadBudget | undefined;
  readonly #waitFor: AbortSignal | undefined;
  /** Bytes that were taken and neither returned nor delivered yet. */
  #reservedBytes = 0;
  #isReleasing = false;

  constructor({ quota, budget, waitFor }: Surroundings) {
    this.#quota = quota;
    this.#budget = budget;
    this.#waitFor = waitFor;
  }

  /** @throws QuotaExceededError if the quota is used up and the call does not wait */
  async take(wantedBytes: number, leastBytes: number): Promise<number> {
    const allowedBytes = await this.#allowed(wantedBytes, leastBytes);
    let takenBytes = 0;
    try {
      takenBytes = this.#budget === undefined ? allowedBytes : await this.#budget.take(allowedBytes, leastBytes);
      return takenBytes;
    } finally {
      this.#reserved(takenBytes, allowedBytes);
    }
  }

  tryTake(wantedBytes: number, leastBytes: number): number {
    const allowedBytes = this.#quota.reserve(wantedBytes, leastBytes);
    if (allowedBytes === 0) return 0;
    const takenBytes = this.#budget?.tryTake(allowedBytes, leastBytes) ?? allowedBytes;
    this.#reserved(takenBytes, allowedBytes);
    return takenBytes;
  }

  giveBack(bytes: number): void {
    this.#budget?.giveBack(bytes);
    if (this.#isReleasing) return; // it was delivered
    this.#settle(bytes, 0);
  }

  /** Marks batches as delivered, with their memory: the quota is charged with their actual size. */
  delivered<Batches extends { readonly batches: Uint8Array; readonly release?: (() => void) | undefined }>(
    read: Batches,
  ): Batches {
    this.#settle(this.#reservedBytes, read.batches.length);
    const { release } = read;
    if (release === undefined) return read;
    return {
      ...read,
      release: () => {
        this.#isReleasing = true;
        try {
          release();
        } finally {
          this.#isReleasing = false;
        }
      },
    };
  }

  /** No more reads follow. */
  close(): void {
    this.#settle(this.#reservedBytes, 0);
  }

  async #allowed(wantedBytes: number, leastBytes: number): Promise<number> {
    for (;;) {
      const bytes = this.#quota.reserve(wantedBytes, leastBytes);
      if (bytes > 0) return bytes;
      const settling = this.#quota.settling(); // other reads are in progress, and may return a part
      if (settling !== undefined) await settling;
      else if (this.#waitFor === undefined) this.#quota.check();
      else await this.#quota.wait(this.#waitFor);
      if (this.#waitFor?.aborted) throw new UnavailableError("the call ended before its quota allowed the read");
    }
  }

  /** @param allowedBytes bytes that are reserved of the quota already */
  #reserved(takenBytes: number, allowedBytes: number): void {
    this.#reservedBytes += allowedBytes;
    this.#settle(allowedBytes - takenBytes, 0);
  }

  #settle(reservedBytes: number, usedBytes: number): void {
    this.#reservedBytes -= reservedBytes;
    this.#quota.settle(reservedBytes, usedBytes);
  }
}
