/** All commands of `logstore`, in the order in which they are listed. */
import type { CommandDefinition } from "./definition.js";
import { profileCommand } from "./profile.js";
import { topicsCommand } from "./topics.js";

export const commands: readonly CommandDefinition[] = [topicsCommand, profileCommand];
