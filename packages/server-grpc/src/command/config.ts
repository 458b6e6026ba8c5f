/**
 * Loads the configuration: flags override variables, which override the file, which overrides the
 * defaults.
 */

import { suggestion } from "@logstore/codec";
import type * as z from "zod";
import { type AccessConfig, checkAccessConfig } from "../access/access-config.js";
import { isLoopback } from "../transport/loopback.js";
import type { CommandLine } from "./command-line.js";
import { type ConfigFile, readConfigFile } from "./config-file.js";
import { allowed, scalarKeys, schemaAt, valueFrom } from "./config-keys.js";
import { accessSchema, configSchema, type ServerConfig } from "./config-schema.js";
import { UsageError } from "./usage-error.js";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Configuration {
  /** Includes `access` from its file, if it is in one. */
  readonly config: ServerConfig;
  /** Things that are not errors but need attention; one sentence each. */
  readonly warnings: readonly string[];
}

/** @throws UsageError with all problems found, each with its position and the allowed values */
export async function loadConfig(commandLine: CommandLine, environment: Environment): Promise<Configuration> {
  const name = commandLine.configFile ?? environment["LOGSTORE_CONFIG"];
  const file = name === undefined ? undefined : await readConfigFile(name);
  const values = structuredClone(file?.values ?? {});
  const origins = new Map<string, string>();
  const set = (path: readonly string[], value: unknown, origin: string) => {
    origins.set(path.join("."), origin);
    put(values, path, value);
  };
  for (const { path, variable, schema } of scalarKeys) {
    const text = environment[variable];
    if (text !== undefined) set(path, valueFrom(text, schema), variable);
  }
  for (const [{ path, schema }, { flag, text }] of commandLine.flags) set(path, valueFrom(text, schema), flag);

  const originOf = (path: readonly PropertyKey[]) => origins.get(path.join(".")) ?? file?.locate(path);
  const parsed = check(configSchema, values, originOf);
  const accessOf = async ({ accessFile, access }: ServerConfig) => {
    if (accessFile === undefined) return access;
    const { values, locate } = await readConfigFile(accessFile);
    return check(accessSchema, values, locate);
  };
  const access = await accessOf(parsed);
  const config = access === undefined ? parsed : { ...parsed, access };
  if (access !== undefined) checkAccess(access);
  checkExposure(config, originOf);
  checkData(config, originOf(["data"]));
  return { config, warnings: unknownVariables(environment) };
}

function check<Schema extends z.ZodType>(
  schema: Schema,
  values: unknown,
  originOf: ConfigFile["locate"] | ((path: readonly PropertyKey[]) => string | undefined),
): z.output<Schema> {
  const result = schema.safeParse(values, { reportInput: true });
  if (result.success) return result.data;
  throw new UsageError(...result.error.issues.flatMap((issue) => problems(schema, issue, originOf)));
}

function problems(
  schema: z.ZodType,
  issue: z.core.$ZodIssue,
  originOf: (path: readonly PropertyKey[]) => string | undefined,
): string[] {
  const { path, code } = issue;
  const key = path.join(".");
  const told = (path: readonly PropertyKey[], text: string) => {
    const origin = originOf(path);
    return origin === undefined ? text : `${origin}: ${text}`;
  };
  if (code === "unrecognized_keys") {
    const { shape } = schemaAt(schema, path) as z.ZodObject;
    return issue.keys.map((name) => {
      const full = [...path, name];
      return told(full, `there is no key ${full.join(".")}${suggestion(name, Object.keys(shape))}`);
    });
  }
  if (code === "custom") return [told(path, issue.message)];
  const expected =
    code === "invalid_format" && issue.format === "regex" ? issue.message : allowed(schemaAt(schema, path));
  if (issue.input === undefined) return [told(path, `${key} is missing: ${howToSay(key, expected)}`)];
  if (code === "too_small" && Array.isArray(issue.input))
    return [told(path, `${key} names nothing: leave it out, or name something`)];
  return [told(path, `${key} is ${expected}, not ${JSON.stringify(issue.input)}`)];
}

function howToSay(key: string, expected: string): string {
  const scalar = scalarKeys.find(({ path }) => path.join(".") === key);
  return scalar === undefined
    ? expected
    : `say --${scalar.flag}, ${scalar.variable}, or ${key} in the configuration file`;
}

/** Exposure to other machines must be requested explicitly. The server itself logs a warning. */
function checkExposure(
  { listen: { host }, insecure, tls, access }: ServerConfig,
  originOf: (path: readonly PropertyKey[]) => string | undefined,
): void {
  const missing = [tls === undefined && "encryption (tls)", access === undefined && "access control (access)"].filter(
    Boolean,
  );
  if (isLoopback(host) || missing.length === 0 || insecure) return;
  const what = `listening on ${host} lets other machines in, and there is no ${missing.join(" and no ")}`;
  throw new UsageError(
    `${originOf(["listen", "host"])}: ${what}: configure it, or pass --insecure if that is intended`,
  );
}

/** The image of the server sets the variable LOGSTORE_DATA, whatever the engine is. */
function checkData({ engine, data }: ServerConfig, origin: string | undefined): void {
  if (engine === "files" || data === undefined || origin === "LOGSTORE_DATA") return;
  throw new UsageError(`${origin}: data has no meaning with engine jetstream: it stores everything in NATS`);
}

/** Checks of access control that are not part of the schema. */
function checkAccess(access: AccessConfig): void {
  try {
    checkAccessConfig(access);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/**
 * Variables of the command `logstore` and of `health`, which may be set where a server is started.
 */
const clientVariables = [
  "SERVER",
  "PROFILE",
  "PROFILES",
  "TLS",
  "CA_FILE",
  "CERT_FILE",
  "KEY_FILE",
  "TOKEN",
  "TOKEN_FILE",
].map((name) => `LOGSTORE_${name}`);

/**
 * Not errors: Kubernetes sets variables such as LOGSTORE_PORT, derived from the name of a service.
 */
function unknownVariables(environment: Environment): string[] {
  const known = new Set(["LOGSTORE_CONFIG", ...clientVariables, ...scalarKeys.map(({ variable }) => variable)]);
  return Object.keys(environment)
    .filter((name) => name.startsWith("LOGSTORE_") && !known.has(name))
    .map((name) => `the variable ${name} means nothing here${suggestion(name, known)}`);
}

/** If a parent is not a mapping, it is left for validation to report. */
function put(values: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) {
    values[name] = value;
    return;
  }
  const inner = values[name] ?? {};
  values[name] = inner;
  if (typeof inner === "object") put(inner as Record<string, unknown>, rest, value);
}
