/** Removes groups that have had no members for the retention time of offsets. */
import type { GroupParts } from "./group-parts.js";
import type { Clock } from "./time/clock.js";
import type { Steps } from "./time/slices.js";

const DEFAULT_OFFSETS_RETENTION_MS = 7 * 24 * 3_600_000;
const EXPIRY_INTERVAL_MS = 60_000;

export class Expiry {
  readonly #parts: GroupParts;
  readonly #clock: Clock;
  readonly #retentionMs: number;
  #cancel = () => {};

  constructor(parts: GroupParts, clock: Clock, retentionMs = DEFAULT_OFFSETS_RETENTION_MS) {
    this.#parts = parts;
    this.#clock = clock;
    this.#retentionMs = retentionMs;
  }

  /** Removes expired groups now, and once a minute until it is stopped. */
  start(): void {
    const { journal, members } = this.#parts;
    if (journal.failure !== undefined) return;
    members.run(this.#removeExpired()).catch(() => {}); // the journal has failed then, and reports it
    this.#cancel = this.#clock.after(EXPIRY_INTERVAL_MS, () => this.start());
  }

  stop(): void {
    this.#cancel();
  }

  *#removeExpired(): Steps {
    const { journal } = this.#parts;
    const at = journal.now();
    for (const { group, emptySince } of journal.groups.values()) {
      yield;
      if (emptySince === undefined || emptySince + this.#retentionMs > at) continue;
      journal.append([{ group, at, isDeleted: true }]).catch(() => {}); // the journal has failed then, and reports it
    }
  }
}
