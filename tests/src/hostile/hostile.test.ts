/**
 * A server under attack survives, stays within its memory limits, continues to serve well-behaved
 * clients, and logs the attack as it should. `pnpm hostile` prints the table for docs/security.md;
 * HOSTILE_SEED replays a run, HOSTILE_FRAMES makes it longer.
 */
import { testAttacks } from "./attack-tests.ts";

testAttacks(({ guarded }) => guarded === undefined);
