import type { ArgumentDefinition, CommandDefinition } from "./definition.js";
import { commandGroups } from "./groups-of-commands.js";

const name: ArgumentDefinition = { name: "name", description: "name of the profile", completes: "profile" };

export const profileCommand: CommandDefinition = {
  name: "profile",
  summary: "keep places under names: address, TLS, token",
  description:
    "A profile names a server or a data directory. Commands use the current profile unless --server, --data,\n" +
    "--profile or a LOGSTORE_ variable says otherwise. Profiles are kept in $XDG_CONFIG_HOME/logstore/profiles.json,\n" +
    "or in the file that LOGSTORE_PROFILES names.",
  group: commandGroups.setup,
  commands: [
    { name: "list", summary: "list the profiles", load: () => import("../commands/profile/list.js") },
    {
      name: "show",
      summary: "show a profile, or the place that commands would use",
      description: "Without a name, shows where commands look for the log, and what said so.",
      arguments: [{ ...name, isRequired: false }],
      load: () => import("../commands/profile/show.js"),
    },
    {
      name: "set",
      summary: "make or replace a profile",
      arguments: [{ ...name, completes: undefined }],
      options: [
        { flags: "-s, --server <host:port,...>", description: "servers of the log" },
        { flags: "-d, --data <directory>", description: "a data directory instead", completes: "directory" },
        { flags: "--tls", description: "encrypt the connection" },
        { flags: "--ca-file <file>", description: "PEM file of the CA to trust", completes: "file" },
        { flags: "--cert-file <file>", description: "PEM file of the client's certificate", completes: "file" },
        { flags: "--key-file <file>", description: "PEM file of its private key", completes: "file" },
        { flags: "--token-file <file>", description: "file that the token is read from each time", completes: "file" },
        { flags: "--token-stdin", description: "read a token from stdin, and keep it in the profile" },
        { flags: "--use", description: "make it the current profile" },
      ],
      examples: [
        { title: "A server on this machine", line: "logstore profile set local --server localhost:7411 --use" },
        {
          title: "A cluster with TLS",
          line: "logstore profile set prod --server a:7411,b:7411 --ca-file ca.pem --token-file token",
        },
      ],
      load: () => import("../commands/profile/set.js"),
    },
    {
      name: "use",
      summary: "make a profile the current one",
      arguments: [name],
      load: () => import("../commands/profile/use.js"),
    },
    {
      name: "remove",
      summary: "remove a profile",
      arguments: [name],
      load: () => import("../commands/profile/remove.js"),
    },
  ],
};
