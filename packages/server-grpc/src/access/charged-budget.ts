/**
 * What one call reads, charged to its principal's quota before it is read: of many that read at
 * once, those that the quota does not cover wait or are refused before anything is read for them.
 * What comes of a read is known only then: the rest is given back.
 */
import { UnavailableError } from "@logstore/codec";
import type { ReadBudget } from "@logstore/protocol";
import type { ByteQuota } from "./quotas.js";

interface Surroundings {
  readonly quota: ByteQuota;
  /** The budget that the call has without a quota, where it has one. */
  readonly budget: ReadBudget | undefined;
  /** Waits for the quota until this aborts; undefined where the call is refused instead. */
  readonly waitFor: AbortSignal | undefined;
}

export class ChargedBudget implements ReadBudget {
  readonly #quota: ByteQuota;
  readonly #budget: ReadBudget | undefined;
  readonly #waitFor: AbortSignal | undefined;
  /** Neither given back nor delivered yet. */
  #reservedBytes = 0;
  #isReleasing = false;

  constructor({ quota, budget, waitFor }: Surroundings) {
    this.#quota = quota;
    this.#budget = budget;
    this.#waitFor = waitFor;
  }

  /** @throws QuotaExceededError where the quota is used up and the call does not wait for it */
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

  /** What was read is handed on, with its memory: it stays charged, and as what it is. */
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

  /** Nothing more is read. */
  close(): void {
    this.#settle(this.#reservedBytes, 0);
  }

  async #allowed(wantedBytes: number, leastBytes: number): Promise<number> {
    for (;;) {
      const bytes = this.#quota.reserve(wantedBytes, leastBytes);
      if (bytes > 0) return bytes;
      const settling = this.#quota.settling(); // others read, and may leave something
      if (settling !== undefined) await settling;
      else if (this.#waitFor === undefined) this.#quota.check();
      else await this.#quota.wait(this.#waitFor);
      if (this.#waitFor?.aborted) throw new UnavailableError("the call ended before its quota allowed the read");
    }
  }

  /** @param allowedBytes what was reserved of the quota already */
  #reserved(takenBytes: number, allowedBytes: number): void {
    this.#reservedBytes += allowedBytes;
    this.#settle(allowedBytes - takenBytes, 0);
  }

  #settle(reservedBytes: number, usedBytes: number): void {
    this.#reservedBytes -= reservedBytes;
    this.#quota.settle(reservedBytes, usedBytes);
  }
}
