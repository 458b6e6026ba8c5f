/** What an attack is, and what it has to work with. */
import type { RuleConfig } from "@logstore/server-grpc";
import type { Guard } from "./guard.ts";
import type { RawConnection } from "./raw-connection.ts";
import type { Told } from "./told.ts";

export interface Attack {
  readonly name: string;
  /** What the server's log says of it. Default: that is not looked at. */
  readonly told?: Told;
  /**
   * Attacks, and tells what the server did: a few words for the table. Throws where the server did
   * what it must not. What it has opened may stay open: whether others are served is looked at
   * meanwhile.
   */
  run(target: Target): Promise<string>;
}

/** Attacks that are made on one server, one after another. */
export interface AttackGroup {
  readonly attacks: readonly Attack[];
  /**
   * Whether the server asks who one is. Default: it lets everybody do everything, and encrypts
   * nothing.
   */
  readonly guarded?: "with TLS" | "without TLS" | undefined;
  /** Of the server's configuration file, beside its defaults. For a server that is guarded. */
  readonly settings?: object | undefined;
}

export interface Target {
  readonly address: string;
  readonly port: number;
  /** Of a server that asks who one is. */
  readonly guard: Guard | undefined;
  /**
   * Directory that holds the server's data directory and nothing else that the server might make.
   */
  readonly surroundings: string;
  /** Numbers in [0, 1), the same ones for the same seed. */
  readonly random: () => number;
  /** How many malformed frames to send. */
  readonly frames: number;
  /** A connection that is closed when the attack is over. */
  connect(): Promise<RawConnection>;
  /** Other rules, from now on. */
  changeRules(rules: readonly RuleConfig[]): Promise<void>;
  /** Called when the attack is over. */
  onEnd(close: () => void): void;
}

/** An attack on a server that asks who one is. */
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
