/** The keys of the configuration: their names and allowed values. */
import * as z from "zod";
import { configSchema } from "./config-schema.js";

/**
 * A key that a flag or variable can set: not an element of a list, and not a key under `access`.
 */
export interface ScalarKey {
  readonly path: readonly string[];
  /** "drain-timeout-ms", without the leading dashes. */
  readonly flag: string;
  /** "LOGSTORE_DRAIN_TIMEOUT_MS" */
  readonly variable: string;
  readonly schema: z.ZodType;
  readonly description: string;
}

export const scalarKeys: readonly ScalarKey[] = scalarsOf(configSchema, []);

function scalarsOf(schema: z.ZodType, path: readonly string[]): ScalarKey[] {
  const inner = unwrapped(schema);
  if (!(inner instanceof z.ZodObject)) return [scalarKey(path, schema)];
  return Object.entries(inner.shape).flatMap(([name, value]) =>
    path.length === 0 && name === "access" ? [] : scalarsOf(value as z.ZodType, [...path, name]),
  );
}

function scalarKey(path: readonly string[], schema: z.ZodType): ScalarKey {
  const flag = path.map(kebab).join("-");
  const variable = `LOGSTORE_${flag.replaceAll("-", "_").toUpperCase()}`;
  return { path, flag, variable, schema: unwrapped(schema), description: schema.description ?? "" };
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The inner schema of one that is only optional or has a default. */
function unwrapped(schema: z.ZodType): z.ZodType {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
    inner = inner.unwrap() as z.ZodType;
  }
  return inner;
}

/** The schema of a key; a number in the path stands for any position in a list. */
export function schemaAt(root: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let schema: z.ZodType | undefined = unwrapped(root);
  for (const name of path) {
    if (schema instanceof z.ZodObject) schema = schema.shape[String(name)] as z.ZodType | undefined;
    else if (schema instanceof z.ZodArray) schema = schema.element as z.ZodType;
    else return undefined;
    if (schema === undefined) return undefined;
    schema = unwrapped(schema);
  }
  return schema;
}

/** "a whole number from 0 to 65535" */
export function allowed(schema: z.ZodType | undefined): string {
  if (schema instanceof z.ZodEnum) return oneOf(schema.options);
  if (schema instanceof z.ZodBoolean) return "true or false";
  if (schema instanceof z.ZodArray) return "a list";
  if (schema instanceof z.ZodObject) return "a mapping";
  if (schema instanceof z.ZodURL) return "a URL";
  if (schema instanceof z.ZodNumber) {
    const { minValue, maxValue } = schema;
    return schema.format === "safeint" ? `a whole number from ${minValue} to ${maxValue}` : "a number above 0";
  }
  return "a text that is not empty";
}

/** Converts the text of a flag or variable; returns the text itself if it is not allowed. */
export function valueFrom(text: string, schema: z.ZodType): unknown {
  if (schema instanceof z.ZodNumber && /^\d+$/.test(text)) return Number(text);
  if (schema instanceof z.ZodBoolean && (text === "true" || text === "false")) return text === "true";
  return text;
}

function oneOf(options: readonly (string | number)[]): string {
  const quoted = options.map((option) => JSON.stringify(option));
  return `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
}
