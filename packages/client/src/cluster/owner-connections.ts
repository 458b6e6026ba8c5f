/**
 * The connections to owners, by address. Each is opened when it is needed, tried out before calls
 * go there, and closed when it is not used any more.
 */
import { callAll, startInterval, type Timer } from "@logstore/codec";
import type { ConnectOptions } from "../grpc/connect-options.js";
import { OwnerConnection } from "./owner-connection.js";

/**
 * How an owner can be reached. `connecting`: not yet known. `lost`: it could be until a moment ago.
 * `unreachable`: it cannot, and is tried again from time to time.
 */
export type Reach = OwnerConnection | "connecting" | "lost" | "unreachable";

/** Time limit for the first answer on a new connection, ms. */
const CONNECT_TIMEOUT_MS = 2_000;
/**
 * Time within which a lost owner is expected to come back, or to be replaced by another one, ms.
 */
const LOST_MS = 10_000;
/** Pause before an unreachable owner is tried again, ms: doubled each time, up to the maximum. */
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;
const IDLE_MS = 60_000;
const SWEEP_MS = 10_000;
/** Limit of brokers that are connected to; calls for further ones go to a seed. */
const MAX_OWNERS = 100;

/** What is known of one address. */
interface Slot {
  connection?: OwnerConnection | undefined;
  /** What is being tried out. */
  tried?: OwnerConnection | undefined;
  connecting?: Promise<void> | undefined;
  /** Attempts to connect since it was reached last. */
  failures: number;
  /** Monotonic ms. */
  tryAt: number;
  lostAt: number;
  usedAt: number;
}

export class OwnerConnections {
  readonly #options: ConnectOptions;
  readonly #slots = new Map<string, Slot>();
  #sweep: Timer | undefined;
  #isClosed = false;

  constructor(options: ConnectOptions) {
    this.#options = options;
  }

  /** Returns the connection to an owner if there is one; otherwise it is opened. */
  at(address: string): Reach {
    const slot = this.#slots.get(address) ?? this.#add(address);
    if (slot === undefined || this.#isClosed) return "unreachable";
    const now = performance.now();
    slot.usedAt = now;
    if (slot.connection !== undefined) return slot.connection;
    if (slot.connecting === undefined && now >= slot.tryAt) this.#connect(address, slot);
    if (now - slot.lostAt < LOST_MS) return "lost";
    return slot.failures === 0 ? "connecting" : "unreachable";
  }

  /** Tries to reach a lost owner now, not after a pause. */
  retry(address: string): void {
    const slot = this.#slots.get(address);
    if (slot !== undefined) slot.tryAt = 0;
    this.at(address);
  }

  /** Resolves when no attempt to connect to an owner is under way: within a bounded time. */
  async settled(address: string): Promise<void> {
    await this.#slots.get(address)?.connecting;
  }

  close(): void {
    this.#isClosed = true;
    this.#sweep?.cancel();
    const open = [...this.#slots.values()].flatMap(({ connection, tried }) => connection ?? tried ?? []);
    callAll(open.map((connection) => () => connection.close()));
    this.#slots.clear();
  }

  #add(address: string): Slot | undefined {
    if (this.#slots.size >= MAX_OWNERS) this.#closeIdle(0);
    if (this.#slots.size >= MAX_OWNERS) return undefined;
    const slot = { failures: 0, tryAt: 0, lostAt: Number.NEGATIVE_INFINITY, usedAt: 0 };
    this.#slots.set(address, slot);
    this.#sweep ??= startInterval(SWEEP_MS, () => this.#closeIdle(IDLE_MS), { keepsAlive: false });
    return slot;
  }

  #connect(address: string, slot: Slot): void {
    slot.connecting = this.#open(address, slot).then((connection) => {
      slot.connecting = undefined;
      slot.tried = undefined;
      if (connection === undefined) {
        slot.tryAt = performance.now() + Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** slot.failures++);
        return;
      }
      Object.assign(slot, { connection, failures: 0, tryAt: 0, lostAt: Number.NEGATIVE_INFINITY });
    });
  }

  async #open(address: string, slot: Slot): Promise<OwnerConnection | undefined> {
    try {
      const connection = new OwnerConnection(address, this.#options, () => this.#lost(address, connection));
      slot.tried = connection;
      const isReachable = await connection.isReachable(CONNECT_TIMEOUT_MS);
      if (isReachable && !connection.isAway && !this.#isClosed) return connection;
      connection.close();
    } catch {
      // The address is malformed, or the certificates cannot be read now.
    }
    return undefined;
  }

  #lost(address: string, connection: OwnerConnection): void {
    const slot = this.#slots.get(address);
    if (slot?.connection !== connection) return;
    const now = performance.now();
    Object.assign(slot, { connection: undefined, lostAt: now, tryAt: now });
  }

  #closeIdle(idleMs: number): void {
    const now = performance.now();
    for (const [address, { connection, connecting, usedAt }] of this.#slots) {
      const isIdle = connection === undefined ? now - usedAt > MAX_PAUSE_MS : connection.idleMs > idleMs;
      if (!isIdle || connecting !== undefined) continue;
      this.#slots.delete(address);
      connection?.close();
    }
    if (this.#slots.size > 0) return;
    this.#sweep?.cancel();
    this.#sweep = undefined;
  }
}
