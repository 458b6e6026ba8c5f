/** All attacks on a server. A new attack is a new row in one of these tables. */
import type { AttackGroup } from "./attack.ts";
import { argumentAttacks } from "./attacks/arguments.ts";
import { bombs } from "./attacks/bombs.ts";
import { credentials, guessing, plaintextAttacks } from "./attacks/credentials.ts";
import { floods } from "./attacks/floods.ts";
import { groupFloods, groupLimits } from "./attacks/group-floods.ts";
import { handshakes, manyHandshakes } from "./attacks/handshakes.ts";
import { headers } from "./attacks/headers.ts";
import { anonymousHoards, hoards, strangersWatch } from "./attacks/hoards.ts";
import { malformedFrames, malformedMessages } from "./attacks/malformed.ts";
import { names, namesInTextLogs } from "./attacks/names.ts";
import { permissions } from "./attacks/permissions.ts";
import { quotaFloods, readers } from "./attacks/readers.ts";
import { slowAttacks } from "./attacks/slow.ts";

/**
 * Each group has a server of its own, which has to survive all of it. Attacks that leave much
 * garbage are in groups of their own.
 */
export const attackGroups: Readonly<Record<string, AttackGroup>> = {
  floods: { attacks: floods },
  slow: { attacks: slowAttacks },
  headers: { attacks: headers },
  bombs: { attacks: bombs },
  hoards: { attacks: hoards },
  "malformed frames": { attacks: malformedFrames },
  "malformed messages": { attacks: malformedMessages },
  ...Object.fromEntries(readers.map((reader, i) => [`reader ${i + 1}`, { attacks: [reader] }])),
  arguments: { attacks: argumentAttacks },
  // Attacks that must be logged come before those that exhaust the rate limit of the log.
  "credentials and permissions": {
    guarded: "with TLS",
    attacks: [
      ...credentials,
      ...handshakes,
      ...permissions,
      ...quotaFloods,
      ...guessing,
      ...strangersWatch,
      ...manyHandshakes,
    ],
  },
  names: { guarded: "with TLS", attacks: names },
  "names in text logs": { guarded: "with TLS", settings: { log: { format: "text" } }, attacks: namesInTextLogs },
  "group floods": { guarded: "with TLS", settings: { groups: groupLimits }, attacks: groupFloods },
  "tokens without TLS": { guarded: "without TLS", attacks: plaintextAttacks },
  "hoards without credentials": { guarded: "without TLS", attacks: anonymousHoards },
};
