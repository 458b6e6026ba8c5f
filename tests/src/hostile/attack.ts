/** What an attack is, and what it has to work with. */
import type { RawConnection } from "./raw-connection.ts";

export interface Attack {
  readonly name: string;
  /**
   * Attacks, and tells what the server did: a few words for the table. Throws where the server did what it must not. What it has
   * opened may stay open: whether others are served is looked at meanwhile.
   */
  run(target: Target): Promise<string>;
}

export interface Target {
  readonly address: string;
  /** Directory that holds the server's data directory and nothing else. */
  readonly surroundings: string;
  /** Numbers in [0, 1), the same ones for the same seed. */
  readonly random: () => number;
  /** How many malformed frames to send. */
  readonly frames: number;
  /** A connection that is closed when the attack is over. */
  connect(): Promise<RawConnection>;
  /** Called when the attack is over. */
  onEnd(close: () => void): void;
}
