/** The definition of an attack, and its environment. */
import type { RuleConfig } from "@logstore/server-grpc";
import type { Guard } from "./guard.ts";
import type { RawConnection } from "./raw-connection.ts";
import type { Told } from "./told.ts";

export interface Attack {
  readonly name: string;
  /** The expected log lines. Default: not checked. */
  readonly told?: Told;
  /**
   * Attacks, and returns a short description of the server's reaction for the table. Throws if the
   * server misbehaves. Connections may stay open, so that service to others is tested at the same
   * time.
   */
  run(target: Target): Promise<string>;
}

/** Attacks on the same server, one after another. */
export interface AttackGroup {
  readonly attacks: readonly Attack[];
  /**
   * Whether the server has access control. Default: neither that nor TLS; everybody may do
   * everything.
   */
  readonly guarded?: "with TLS" | "without TLS" | undefined;
  /**
   * Settings of the server's configuration file that differ from the defaults. For a server with
   * access control.
   */
  readonly settings?: object | undefined;
}

export interface Target {
  readonly address: string;
  readonly port: number;
  /** Set for a server with access control. */
  readonly guard: Guard | undefined;
  /**
   * A directory that contains only the server's data directory, to detect anything else that the
   * server creates.
   */
  readonly surroundings: string;
  /** Numbers in [0, 1), repeatable by seed. */
  readonly random: () => number;
  /** Number of malformed frames to send. */
  readonly frames: number;
  /** Opens a connection that is closed when the attack is over. */
  connect(): Promise<RawConnection>;
  /** Replaces the access rules. */
  changeRules(rules: readonly RuleConfig[]): Promise<void>;
  /** Registers a function to call when the attack is over. */
  onEnd(close: () => void): void;
}

/** An attack on a server with access control. */
export function onGuarded(name: string, told: Told, run: (target: Target, guard: Guard) => Promise<string>): Attack {
  return {
    name,
    told,
    async run(target) {
      if (target.guard === undefined) throw new Error(`${name}: is for a server that is guarded`);
      return run(target, target.guard);
    },
  };
}
