/** The machine that a disk is in: it sees every call, stops at one, or makes one fail. */
import { setImmediate } from "node:timers/promises";
import { type Call, type CallKind, isMutating } from "./calls.js";
import { MachineStoppedError } from "./disk-errors.js";
import { type Fault, type FaultOptions, FaultPlan, faultError } from "./faults.js";

/** What a {@link SimulatedDisk} does to calls: counts them, stops at one, makes one fail. */
export class Machine {
  /** Every call so far, in order. Set its length to 0 to forget them. */
  readonly calls: Call[] = [];
  /**
   * Called within each mutating call: what it changes can be seen, and is not durable. Here a sweep
   * takes a copy of the disk, or cuts the power. Where a promise comes back, the call goes on when
   * that resolves.
   */
  onMutation: ((call: Call) => void | Promise<void>) | undefined;
  /**
   * How many turns of the event loop a mutating call takes from there on until it is done, and what
   * it makes durable is durable. Other calls go on meanwhile. Default: none. See
   * {@link randomDelays}.
   */
  turnsOf: ((call: Call) => number) | undefined;

  readonly #faults = new FaultPlan();
  #mutatingCalls = 0;
  #stopAt = Number.POSITIVE_INFINITY;
  #isStopped = false;

  /** How many calls there were that change something: {@link stopAt} counts these. */
  get mutatingCallCount(): number {
    return this.#mutatingCalls;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /**
   * The machine stops at the k-th mutating call from now on, 1 being the next. What that call
   * changes is among the unsynced changes then; what it would make durable is not made so.
   */
  stopAt(k: number): void {
    this.#stopAt = this.#mutatingCalls + k;
  }

  /**
   * The machine stops now: all calls under way and all to come fail with
   * {@link MachineStoppedError}.
   */
  stop(): void {
    this.#isStopped = true;
  }

  /**
   * Makes the k-th call from now on fail, 1 being the next, of those that the fault can happen to.
   */
  failAt(k: number, fault: Fault, options: FaultOptions = {}): void {
    this.#faults.arm(fault, k, options);
  }

  /** No call fails any more. What a failed sync has forgotten stays so. */
  mend(): void {
    this.#faults.clear();
  }

  /**
   * To be called before anything of a call is done. Where it fails, `partly` is told with what.
   *
   * @internal
   */
  begin(kind: CallKind, path: string, partly?: (fault: Fault) => void): Call {
    this.checkRunning();
    const call = { kind, path };
    this.calls.push(call);
    const fault = this.#faults.next(call);
    if (fault === undefined) return call;
    if (isMutating(call)) this.#count();
    partly?.(fault);
    throw faultError(fault, path);
  }

  /**
   * To be called when a change can be seen, and is not durable.
   *
   * @internal
   */
  midway(call: Call): void | Promise<void> {
    this.#count();
    const pause = this.onMutation?.(call);
    const turns = this.turnsOf?.(call) ?? 0;
    if (pause !== undefined || turns > 0) return this.#wait(pause, turns);
    this.checkRunning();
  }

  async #wait(pause: void | Promise<void>, turns: number): Promise<void> {
    await pause;
    for (let turn = 0; turn < turns; turn++) await setImmediate();
    this.checkRunning();
  }

  /** @internal */
  checkRunning(): void {
    if (this.#isStopped) throw new MachineStoppedError();
  }

  #count(): void {
    if (++this.#mutatingCalls === this.#stopAt) this.stop();
  }
}
