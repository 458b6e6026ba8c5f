/** Options that many commands have. */

import { durationMs } from "../values/duration.js";
import type { OptionDefinition } from "./definition.js";

/** The options that determine where the log is and how to connect to it. */
export const placeOptions: readonly OptionDefinition[] = [
  { flags: "-s, --server <host:port,...>", description: "servers of the log; the first one that answers is used" },
  {
    flags: "-d, --data <directory>",
    description: "a data directory or log store, read beside its writer",
    completes: "directory",
  },
  { flags: "-p, --profile <name>", description: "a place with a name, see logstore profile", completes: "profile" },
  { flags: "--tls", description: "encrypt the connection" },
  { flags: "--no-tls", description: "do not encrypt it, whatever the profile says" },
  { flags: "--ca-file <file>", description: "PEM file of the CA to trust", completes: "file" },
  { flags: "--cert-file <file>", description: "PEM file of this client's certificate", completes: "file" },
  { flags: "--key-file <file>", description: "PEM file of its private key", completes: "file" },
  { flags: "--token-file <file>", description: "file with a bearer token", completes: "file" },
  {
    flags: "--timeout <duration>",
    description: "limit of each call to a server",
    defaultText: "30s",
    parse: durationMs,
  },
];

/** Options of every command. */
export const outputOptions: readonly OptionDefinition[] = [
  { flags: "--json", description: "print JSON, one object a line" },
  { flags: "-q, --quiet", description: "print nothing but results, warnings and errors" },
  {
    flags: "--color <when>",
    description: "colour the output",
    defaultText: "auto",
    choices: ["auto", "always", "never"],
  },
];

export const yesOption: OptionDefinition = { flags: "-y, --yes", description: "do it without asking" };
