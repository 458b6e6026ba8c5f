/** All commands of `logstore`, in the order in which they are listed. */
import { completionCommand } from "./completion.js";
import type { CommandDefinition } from "./definition.js";
import { inspectCommand, repairCommand, verifyCommand } from "./directories.js";
import { groupsCommand } from "./groups.js";
import { benchCommand, checkCommand, devCommand, serveCommand, topCommand } from "./operating.js";
import { parkedCommand } from "./parked.js";
import { produceCommand } from "./produce.js";
import { profileCommand } from "./profile.js";
import { readCommand, tailCommand } from "./read.js";
import { snapshotsCommand } from "./snapshots.js";
import { topicsCommand } from "./topics.js";
import { copyCommand, exportCommand, importCommand } from "./transfer.js";

export const commands: readonly CommandDefinition[] = [
  produceCommand,
  readCommand,
  tailCommand,
  importCommand,
  exportCommand,
  copyCommand,
  topicsCommand,
  groupsCommand,
  parkedCommand,
  snapshotsCommand,
  topCommand,
  checkCommand,
  benchCommand,
  devCommand,
  serveCommand,
  inspectCommand,
  verifyCommand,
  repairCommand,
  profileCommand,
  completionCommand(() => commands),
];
