/**
 * The state that the sending streams of one server share: the send budget, and the detection of
 * stalled peers.
 */
import { baseCallOf } from "./base-call.js";
import { Lease, SendBudget } from "./send-budget.js";
import { StalledStreams } from "./stalled-streams.js";
import { type ConnectionOf, UnsentMessages } from "./unsent-messages.js";

export interface SendingOptions {
  /**
   * Largest size of the batches that were read from the log, for all streams together, and have not
   * been sent, in bytes.
   */
  readonly budgetBytes: number;
  /** How long a peer may accept nothing at all. */
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

  /**
   * Returns a function that calls `release` as soon as HTTP/2 can no longer read what was written
   * for a call. Must be called before anything is written.
   */
  whenUnread(call: object): (release: () => void) => void {
    const stream = baseCallOf(call)?.stream;
    const unsent = stream && this.unsent.of(stream);
    if (stream === undefined || unsent === undefined) return (release) => release();
    return (release) => unsent.keep(stream, release);
  }

  close(): void {
    this.stalled.close();
  }
}
