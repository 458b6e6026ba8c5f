/** A connection to a broker that owns something. */
import type { LogApi } from "@logstore/protocol";
import { settledWithin } from "../common/registry.js";
import type { ConnectOptions } from "../grpc/connect-options.js";
import { GrpcLogApi } from "../grpc/grpc-log-api.js";

/** Where a call goes. */
export interface Way {
  readonly log: LogApi;
  /** Whether it is a connection to a broker that cannot be reached any more. */
  readonly isAway: boolean;
  /** Called before each call, and {@link leave} after it. */
  enter(): void;
  leave(): void;
}

export class OwnerConnection implements Way {
  readonly log: GrpcLogApi;
  readonly address: string;
  #isAway = false;
  #calls = 0;
  #idleSince = performance.now();

  /**
   * @param onAway called once, when the broker cannot be reached any more
   * @throws InvalidArgumentError for a malformed address, and for certificates that cannot be read
   */
  constructor(address: string, options: ConnectOptions, onAway: (connection: OwnerConnection) => void) {
    this.address = address;
    const away = () => {
      if (this.#isAway) return;
      this.#isAway = true;
      onAway(this);
      this.#closeIfDone();
    };
    // The seeds report lost connections: they are used where an owner cannot be reached.
    const own = { ...options, ownerOnly: true, onEvent: () => {} };
    this.log = new GrpcLogApi(address, own, { onAway: away });
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  /** Time without calls, ms. */
  get idleMs(): number {
    return this.#calls > 0 ? 0 : performance.now() - this.#idleSince;
  }

  enter(): void {
    this.#calls++;
  }

  leave(): void {
    this.#calls--;
    this.#idleSince = performance.now();
    this.#closeIfDone();
  }

  /** Resolves to whether a log store answers there in time. */
  async isReachable(timeoutMs: number): Promise<boolean> {
    const answered = this.log.describeServer().then(() => true);
    if (!(await settledWithin(answered, timeoutMs))) return false;
    return answered.catch(() => false);
  }

  close(): void {
    this.log.close();
  }

  /** Calls under way on a lost connection end by themselves. */
  #closeIfDone(): void {
    if (this.#isAway && this.#calls === 0) this.close();
  }
}
