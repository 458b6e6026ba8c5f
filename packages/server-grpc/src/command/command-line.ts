/** Parses the arguments of the command `logstore-server`. */
import { parseArgs } from "node:util";
import { suggestion } from "@logstore/codec";
import * as z from "zod";
import { type ScalarKey, scalarKeys } from "./config-keys.js";
import { configSchema } from "./config-schema.js";
import { UsageError } from "./usage-error.js";

/** The parsed flags. */
export interface CommandLine {
  readonly configFile: string | undefined;
  /** Only check the configuration. */
  readonly check: boolean;
  /** The flags that set a key of the configuration, as given: "--port", and its value. */
  readonly flags: ReadonlyMap<ScalarKey, { readonly flag: string; readonly text: string }>;
}

/** Flags that are shorter than their keys. */
const shortFlags: ReadonlyMap<string, string> = new Map([
  ["host", "listen-host"],
  ["port", "listen-port"],
]);

const keyOfFlag = new Map(scalarKeys.map((key) => [key.flag, key]));
for (const [short, flag] of shortFlags) keyOfFlag.set(short, keyOfFlag.get(flag)!);

const commands = ["new-token [PRINCIPAL]", "hash-token", "health [SERVICE] [flags]"];

/**
 * `args` are those after the command's name; returns "help" or "version" if that was requested.
 *
 * @throws UsageError
 */
export function parseCommandLine(args: readonly string[]): CommandLine | "help" | "version" {
  const { help, version, config, check, ...given } = parse(args);
  if (help) return "help";
  if (version) return "version";
  const flags = new Map<ScalarKey, { flag: string; text: string }>();
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const key = keyOfFlag.get(name)!;
    const other = flags.get(key);
    if (other !== undefined) throw usage(`${other.flag} and --${name} say the same thing: leave one out`);
    flags.set(key, { flag: `--${name}`, text: String(value) });
  }
  return { configFile: config as string | undefined, check: check === true, flags };
}

function parse(args: readonly string[]): Record<string, string | boolean | undefined> {
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {
    help: { type: "boolean", short: "h" },
    version: { type: "boolean", short: "V" },
    check: { type: "boolean" },
    config: { type: "string" },
  };
  for (const [flag, { schema }] of keyOfFlag) options[flag] = { type: isSwitch(schema) ? "boolean" : "string" };
  try {
    return parseArgs({ args: [...args], options, allowNegative: true }).values;
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    const unknown = code === "ERR_PARSE_ARGS_UNKNOWN_OPTION" ? /'(--?[^' ]+)'/.exec(message)?.[1] : undefined;
    if (unknown === undefined) throw usage(message);
    throw usage(
      `there is no flag ${unknown}${suggestion(
        unknown,
        Object.keys(options).map((name) => `--${name}`),
      )}`,
    );
  }
}

function usage(problem: string): UsageError {
  return new UsageError(`${problem} (see logstore-server --help)`);
}

function isSwitch(schema: z.ZodType): boolean {
  return schema instanceof z.ZodBoolean;
}

/** The text of --help, generated from the schema. */
export function help(): string {
  const flags = scalarKeys.map((key) => {
    const { flag, schema, path, description } = key;
    // An option that is on by default needs a flag that turns it off.
    if (defaultOf(path) === true) return entry(`--no-${flag}`, `do not ${description}`);
    const short = [...shortFlags].find(([, long]) => long === flag)?.[0];
    const name = short === undefined ? `--${flag}` : `--${short}, --${flag}`;
    return entry(isSwitch(schema) ? name : `${name} ${placeholder(key)}`, description + byDefault(key));
  });
  return `Serves a LogStore data directory, or partitions in a NATS JetStream cluster, over gRPC.

  logstore-server --data DIR [flags]
  logstore-server --engine jetstream --nats nats://HOST:4222 [flags]
${commands.map((command) => `  logstore-server ${command}\n`).join("")}
${entry("--config FILE", "configuration file in YAML; flags and variables override it")}
${entry("--check", "check the configuration, and do not start")}
${entry("-h, --help", "show this text")}
${entry("-V, --version", "show the version")}
${flags.join("\n")}

For example, on this machine only, with metrics for Prometheus:

  logstore-server --data ./data --port 7411 --retention-ms 604800000 --metrics-port 9464

Every flag is also an environment variable (LOGSTORE_LISTEN_PORT) and a key of the file (listen.port). LOGSTORE_CONFIG names the
file, too. "new-token" creates a bearer token; "hash-token" reads one from stdin and prints its entry for the configuration;
"health" asks a server whether it is serving, and exits with 0 if it is.`;
}

const HELP_COLUMN = 30;

function entry(name: string, description: string): string {
  const gap =
    name.length + 4 > HELP_COLUMN ? `\n${" ".repeat(HELP_COLUMN)}` : " ".repeat(HELP_COLUMN - name.length - 2);
  return `  ${name}${gap}${description}`;
}

function placeholder({ schema, path }: ScalarKey): string {
  if (schema instanceof z.ZodEnum) return schema.options.join("|");
  if (schema instanceof z.ZodNumber) return "N";
  if (schema instanceof z.ZodURL) return "URL";
  const name = path.at(-1)!;
  if (name === "data") return "DIR";
  if (name === "nats") return "URLS";
  return name.endsWith("File") ? "FILE" : "HOST";
}

function byDefault({ path, schema }: ScalarKey): string {
  const value = defaultOf(path);
  if (value === undefined || isSwitch(schema)) return "";
  return ` (default ${value})`;
}

function defaultOf(path: readonly string[]): unknown {
  const defaults = configSchema.parse({ data: "-" }) as Record<string, unknown>;
  if (path[0] === "data") return undefined;
  return path.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], defaults);
}
