import { yesOption } from "./common-options.js";
import type { ArgumentDefinition, CommandDefinition } from "./definition.js";
import { commandGroups } from "./groups-of-commands.js";

const topic: ArgumentDefinition = { name: "topic", description: "topic of the snapshot", completes: "topic" };
const snapshot: ArgumentDefinition = { name: "snapshot", description: "name of the snapshot", completes: "snapshot" };

export const snapshotsCommand: CommandDefinition = {
  name: "snapshots",
  summary: "list, create, restore and delete snapshots of topics",
  group: commandGroups.server,
  commands: [
    {
      name: "list",
      summary: "list the snapshots of a topic, or of all",
      usesPlace: true,
      arguments: [{ ...topic, isRequired: false }],
      load: () => import("../commands/snapshots/list.js"),
    },
    {
      name: "create",
      summary: "copy a topic as it is now to the server's snapshots",
      usesPlace: true,
      arguments: [topic, { ...snapshot, completes: undefined }],
      examples: [{ title: "Before a migration", line: "logstore snapshots create orders before-migration" }],
      load: () => import("../commands/snapshots/create.js"),
    },
    {
      name: "restore",
      summary: "create a topic from a snapshot; its records keep their offsets",
      usesPlace: true,
      arguments: [topic, snapshot, { name: "new-topic", description: "name of the topic to create" }],
      load: () => import("../commands/snapshots/restore.js"),
    },
    {
      name: "delete",
      summary: "delete a snapshot",
      usesPlace: true,
      arguments: [topic, snapshot],
      options: [yesOption],
      load: () => import("../commands/snapshots/delete.js"),
    },
  ],
};
