/** Everything that is tried against a server. A new attack is a new row in one of these. */
import type { Attack } from "./attack.ts";
import { argumentAttacks } from "./attacks/arguments.ts";
import { bombs } from "./attacks/bombs.ts";
import { floods } from "./attacks/floods.ts";
import { headers } from "./attacks/headers.ts";
import { malformed } from "./attacks/malformed.ts";
import { readers } from "./attacks/readers.ts";
import { slowAttacks } from "./attacks/slow.ts";

/** Each group has a server of its own, which has to stand all of it. What leaves much to be collected as garbage stands alone. */
export const attackGroups: Readonly<Record<string, readonly Attack[]>> = {
  floods,
  slow: slowAttacks,
  headers,
  bombs,
  malformed,
  ...Object.fromEntries(readers.map((reader, i) => [`reader ${i + 1}`, [reader]])),
  arguments: argumentAttacks,
};
