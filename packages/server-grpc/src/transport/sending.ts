/**
 * What the streams of one server share when they send: the bytes that they may hold, and the
 * patience with their peers.
 */
import { Lease, SendBudget } from "./send-budget.js";
import { StalledStreams } from "./stalled-streams.js";
import { type ConnectionOf, UnsentMessages } from "./unsent-messages.js";

export interface SendingOptions {
  /** What all of them together may have read from the log and not yet sent. */
  readonly budgetBytes: number;
  /** How long a peer may take nothing at all. */
  readonly stalledTimeoutMs: number;
  readonly connectionOf: ConnectionOf;
}

export class Sending {
  readonly stalled: StalledStreams;
  readonly unsent: UnsentMessages;
  readonly #budget: SendBudget;

  constructor({ budgetBytes, stalledTimeoutMs, connectionOf }: SendingOptions) {
    this.#budget = new SendBudget(budgetBytes, () => this.stalled.pressed());
    this.stalled = new StalledStreams(stalledTimeoutMs, () => this.#budget.isShort);
    this.unsent = new UnsentMessages(this.stalled, connectionOf);
  }

  lease(): Lease {
    return new Lease(this.#budget);
  }

  close(): void {
    this.stalled.close();
  }
}
