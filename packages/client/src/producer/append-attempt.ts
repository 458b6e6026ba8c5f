import { ClosedError, type DeliveryTimeoutError, sleep } from "@logstore/codec";
import { isRetriable, retryDelayMs } from "../common/retry.js";
import { beforeDeadline, deliveryTimeout, type Place } from "./delivery.js";

/** One append, from its call to its deadline. */
export class AppendAttempt {
  readonly #timeoutMs: number;
  readonly #place: Place;
  /** Aborts when the client is closed and its appends are given up. */
  readonly #abandoned: AbortSignal;
  /** Monotonic ms. */
  readonly #deadline: number;
  wasSent = false;

  constructor(timeoutMs: number, place: Place, abandoned: AbortSignal) {
    this.#timeoutMs = timeoutMs;
    this.#place = place;
    this.#abandoned = abandoned;
    this.#deadline = performance.now() + timeoutMs;
  }

  get isLate(): boolean {
    return performance.now() >= this.#deadline;
  }

  /** Returns the result, or rejects with a DeliveryTimeoutError at the deadline. */
  before<Result>(result: Promise<Result>): Promise<Result> {
    return beforeDeadline(
      () => result,
      this.#deadline,
      () => this.timeoutError(),
    );
  }

  /**
   * Calls `ask` until it succeeds, fails with an error that is not retriable, or the deadline has
   * passed.
   */
  async untilAnswered<Result>(ask: (tries: number) => Promise<Result>): Promise<Result> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.unlessAbandoned(this.before(ask(tries)));
      } catch (error) {
        if (!isRetriable(error)) throw error;
        const pauseMs = retryDelayMs(tries, error);
        if (performance.now() + pauseMs >= this.#deadline) throw this.timeoutError(error);
        await sleep(pauseMs, this.#abandoned);
        if (this.#abandoned.aborted) throw this.timeoutError(error);
      }
    }
  }

  /** Returns the result, or rejects with a ClosedError when the append is given up. */
  unlessAbandoned<Result>(result: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const abandon = () => reject(this.#closedError());
      this.#abandoned.addEventListener("abort", abandon);
      if (this.#abandoned.aborted) abandon();
      result.then(resolve, reject).finally(() => this.#abandoned.removeEventListener("abort", abandon));
    });
  }

  timeoutError(cause?: unknown): DeliveryTimeoutError {
    return deliveryTimeout(this.#place, this.#timeoutMs, cause, this.#outcome);
  }

  #closedError(): ClosedError {
    return new ClosedError(`the client was closed before the append was acknowledged: ${this.#outcome}`, this.#place);
  }

  get #outcome(): string {
    if (this.wasSent) return "the records may or may not have been appended";
    return "the records were not sent, because earlier appends to the partition were not finished";
  }
}
