/** All commands of `logstore`, in the order in which they are listed. */
import type { CommandDefinition } from "./definition.js";
import { groupsCommand } from "./groups.js";
import { parkedCommand } from "./parked.js";
import { produceCommand } from "./produce.js";
import { profileCommand } from "./profile.js";
import { readCommand, tailCommand } from "./read.js";
import { snapshotsCommand } from "./snapshots.js";
import { topicsCommand } from "./topics.js";

export const commands: readonly CommandDefinition[] = [
  produceCommand,
  readCommand,
  tailCommand,
  topicsCommand,
  groupsCommand,
  parkedCommand,
  snapshotsCommand,
  profileCommand,
];
