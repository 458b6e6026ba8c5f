/** What is shown of a run: a live view on a terminal, plain lines elsewhere. */
import { LiveView } from "./live-view.ts";
import { PlainLines } from "./plain-lines.ts";
import { Screen } from "./screen.ts";

export interface Show {
  /** A flight was acknowledged. */
  produced(partition: number): void;
  /** Flights arrived for the first time, at this member. */
  consumed(partition: number, count: number): void;
  /** The member that owns each partition, according to the server. */
  owners(names: readonly (string | undefined)[]): void;
  memberKilled(name: string): void;
  serverKilled(): void;
  /** Nothing more is shown. */
  stop(): void;
}

export function startShow(flights: number): Show {
  return process.stdout.isTTY ? new LiveView(new Screen(process.stdout), flights) : new PlainLines(flights);
}
