/** What the streams of one server share when they send: the bytes that they may hold, and the patience with their peers. */
import { Lease, SendBudget } from "./send-budget.js";
import { StalledStreams } from "./stalled-streams.js";

export interface SendingOptions {
  /** What all of them together may have read from the log and not yet sent. */
  readonly budgetBytes: number;
  /** How long a peer may take nothing at all. */
  readonly stalledTimeoutMs: number;
}

export class Sending {
  readonly stalled: StalledStreams;
  readonly #budget: SendBudget;

  constructor({ budgetBytes, stalledTimeoutMs }: SendingOptions) {
    this.#budget = new SendBudget(budgetBytes, () => this.stalled.pressed());
    this.stalled = new StalledStreams(stalledTimeoutMs, () => this.#budget.isShort);
  }

  lease(): Lease {
    return new Lease(this.#budget);
  }

  close(): void {
    this.stalled.close();
  }
}
