/** The machine of a disk: sees every call, and can stop at one or make one fail. */
import { setImmediate } from "node:timers/promises";
import { type Call, type CallKind, isMutating } from "./calls.js";
import { MachineStoppedError } from "./disk-errors.js";
import { type Fault, type FaultOptions, FaultPlan, faultError } from "./faults.js";

/**
 * The control over the calls to a {@link SimulatedDisk}: counts them, stops at one, or makes one
 * fail.
 */
export class Machine {
  /** All calls so far, in order. Set its length to 0 to clear it. */
  readonly calls: Call[] = [];
  /**
   * Called within each mutating call, when its change is visible but not durable. A test can copy
   * the disk or cut the power here. If it returns a promise, the call waits for it.
   */
  onMutation: ((call: Call) => void | Promise<void>) | undefined;
  /**
   * How many further turns of the event loop a mutating call takes before it completes and, for a
   * sync, before its changes are durable. Other calls proceed in the meantime. Default: none. See
   * {@link randomDelays}.
   */
  turnsOf: ((call: Call) => number) | undefined;
  /**
   * Whether writes are made at once, like short writes to a page cache: {@link turnsOf} does not
   * apply to them, and they do not wait for {@link onMutation}. Default false.
   */
  writesNow = false;

  readonly #faults = new FaultPlan();
  #mutatingCalls = 0;
  #stopAt = Number.POSITIVE_INFINITY;
  #isStopped = false;

  /** The number of calls so far that change something; {@link stopAt} counts the same calls. */
  get mutatingCallCount(): number {
    return this.#mutatingCalls;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /**
   * Stops the machine at the k-th mutating call from now on, 1 being the next. The change of that
   * call is visible but not durable; a sync makes nothing durable.
   */
  stopAt(k: number): void {
    this.#stopAt = this.#mutatingCalls + k;
  }

  /**
   * Stops the machine now: all calls in progress and all later ones fail with
   * {@link MachineStoppedError}.
   */
  stop(): void {
    this.#isStopped = true;
  }

  /**
   * Makes the k-th call from now on fail, 1 being the next, counting the calls to which the fault
   * applies.
   */
  failAt(k: number, fault: Fault, options: FaultOptions = {}): void {
    this.#faults.arm(fault, k, options);
  }

  /** Ends all injected faults. Bytes that a failed sync has dropped stay dropped. */
  mend(): void {
    this.#faults.clear();
  }

  /**
   * Called before a call has any effect. If the call fails, `partly` is called with the fault.
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
   * Called when a change is visible, but not durable.
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

  /**
   * Like {@link midway}, for a call that waits for nothing.
   *
   * @internal
   */
  midwayNow(call: Call): void {
    this.#count();
    void this.onMutation?.(call);
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
