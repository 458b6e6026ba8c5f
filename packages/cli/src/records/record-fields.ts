/** The fields of a record, as packages/cli/README.md describes them. */
import type { HeaderInput } from "@logstore/codec";
import type { ImportedRecord } from "./imported-record.js";

/** How the fields of a record are read. */
export interface FieldRules {
  /** Makes the error for a record that is wrong. */
  bad(problem: string): Error;
  /** Whether a value that is not a string is stored as its JSON. Default: it is refused. */
  readonly takesJsonValues?: boolean;
}

/**
 * Makes a record of the text of a JSON object. Returns undefined for an empty line.
 *
 * @throws the error of the rules
 */
export function recordOfJson(text: string, rules: FieldRules): ImportedRecord | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch (error) {
    if (text.trim() === "") return undefined;
    throw rules.bad(`this is not JSON: ${(error as Error).message}`);
  }
  if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) {
    return recordOfFields(fields as Record<string, unknown>, rules);
  }
  throw rules.bad(`a record is an object such as {"key":"k","value":"v"}, not ${shortened(text)}`);
}

/** Makes a record of the fields of a JSON object or a row. @throws the error of the rules */
export function recordOfFields(fields: Record<string, unknown>, rules: FieldRules): ImportedRecord {
  const { key, keyBase64, value, valueBase64, timestamp, headers, partition } = fields;
  const bad: Bad = (problem) => rules.bad(problem);
  const isKeyNull = (key === undefined || key === null) && keyBase64 === undefined;
  const isJson = rules.takesJsonValues && value !== undefined && typeof value !== "string";
  return {
    key: isKeyNull ? null : bytesOf(key, keyBase64, "key", bad),
    value: bytesOf(isJson ? JSON.stringify(value) : value, valueBase64, "value", bad),
    timestamp: timeOf(timestamp, bad),
    headers: headersOf(headers, bad),
    partition: partitionOf(partition, bad),
  };
}

type Bad = (problem: string) => Error;

/** Buffer.from ignores characters that are not base64, so that bytes would be lost silently. */
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function bytesOf(text: unknown, encoded: unknown, name: string, bad: Bad): string | Uint8Array {
  if (encoded === undefined) return textOf(text, name, bad);
  if (text !== undefined) throw bad(`"${name}" and "${name}Base64" exclude each other`);
  if (typeof encoded === "string" && BASE64.test(encoded) && encoded.length % 4 !== 1) {
    return Buffer.from(encoded, "base64");
  }
  throw bad(`"${name}Base64" is not base64: ${shown(encoded)}`);
}

function textOf(text: unknown, name: string, bad: Bad): string {
  if (text === undefined) throw bad(`there is no "${name}"; "logstore produce" stores whole lines as values`);
  if (typeof text !== "string") throw bad(`"${name}" must be a string, not ${shown(text)}`);
  if (text.isWellFormed()) return text;
  throw bad(`"${name}" has half of a surrogate pair, which no UTF-8 stands for`);
}

function timeOf(timestamp: unknown, bad: Bad): number | undefined {
  if (timestamp === undefined || timestamp === null) return undefined;
  const ms = typeof timestamp === "string" ? Date.parse(timestamp) : timestamp;
  if (Number.isSafeInteger(ms)) return ms as number;
  throw bad(`"timestamp" must be ms since the epoch, or a time such as 2026-11-27T21:00:00Z, not ${shown(timestamp)}`);
}

function partitionOf(partition: unknown, bad: Bad): number | undefined {
  if (partition === undefined || partition === null) return undefined;
  if (Number.isSafeInteger(partition) && (partition as number) >= 0) return partition as number;
  throw bad(`"partition" must be a whole number, not ${shown(partition)}`);
}

function headersOf(headers: unknown, bad: Bad): HeaderInput[] | undefined {
  if (headers === undefined || headers === null) return undefined;
  if (Array.isArray(headers)) return headers.map((header: unknown) => headerOf(header, bad));
  if (typeof headers !== "object") throw bad(`"headers" must be a list of {"name","value"}, not ${shown(headers)}`);
  return Object.entries(headers).map(([name, value]) => headerOf({ name, value }, bad));
}

function headerOf(header: unknown, bad: Bad): HeaderInput {
  const { name, value, valueBase64 } = Object(header) as Record<string, unknown>;
  if (typeof name !== "string") throw bad(`a header is {"name":"…","value":"…"}, not ${shown(header)}`);
  return { name, value: bytesOf(value, valueBase64, "value", bad) };
}

function shown(value: unknown): string {
  return shortened(JSON.stringify(value) ?? String(value));
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}
