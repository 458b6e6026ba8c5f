/** Random delays of calls, so that code which does not wait for a sync is found out. */
import { type Call, isMutating } from "./calls.js";
import type { Random } from "./random.js";

const SYNCS: readonly Call["kind"][] = ["sync", "syncDirectory"];

/**
 * For {@link Machine.turnsOf}: half of the syncs take some turns of the event loop, a few of them
 * so many that much else happens in the meantime, and one in ten of the other calls takes one or
 * two turns.
 */
export function randomDelays(random: Random): (call: Call) => number {
  return (call) => {
    if (SYNCS.includes(call.kind)) {
      if (random.chance(0.5)) return 0;
      return random.chance(0.2) ? random.whole(50, 400) : random.whole(1, 12);
    }
    return isMutating(call) && random.chance(0.1) ? random.whole(1, 2) : 0;
  };
}
