/** Selects the records that are shown. */
import type { ConsumerRecord } from "@logstore/client";
import { UsageError } from "../../errors/cli-error.js";
import { base64, textOf } from "../../values/text-or-bytes.js";

export interface FilterOptions {
  readonly key?: readonly string[];
  readonly grep?: string;
  readonly ignoreCase?: boolean;
  readonly filter?: string;
}

export interface RecordFilter {
  matches(record: ConsumerRecord): boolean;
  /** Describes the filter in messages; undefined if every record matches. */
  readonly description: string | undefined;
  /** Number of records for which the expression threw. They do not match. */
  readonly failures: number;
  /** The first error of the expression, and the record that caused it. */
  readonly firstFailure: string | undefined;
}

/** @throws UsageError for a pattern or an expression that cannot be compiled */
export function recordFilter({ key, grep, ignoreCase, filter }: FilterOptions): RecordFilter {
  const keys = key === undefined ? undefined : new Set(key);
  const pattern = grep === undefined ? undefined : compiledPattern(grep, ignoreCase);
  const expression = filter === undefined ? undefined : compiledExpression(filter);
  const parts = [
    ...(key ?? []).map((each) => `--key ${each}`),
    ...(grep === undefined ? [] : [`--grep ${grep}`]),
    ...(filter === undefined ? [] : [`--filter ${filter}`]),
  ];
  let failures = 0;
  let firstFailure: string | undefined;
  return {
    description: parts.length === 0 ? undefined : parts.join(" "),
    get failures() {
      return failures;
    },
    get firstFailure() {
      return firstFailure;
    },
    matches: (record) => {
      if (keys !== undefined && (record.key === null || !keys.has(readable(record.key)))) return false;
      if (pattern !== undefined && !pattern.test(readable(record.value))) return false;
      if (expression === undefined) return true;
      try {
        return Boolean(expression(record));
      } catch (error) {
        failures++;
        firstFailure ??= `${record.partition}:${record.offset}: ${(error as Error)?.message ?? error}`;
        return false;
      }
    },
  };
}

/** The same text that the formats show. */
function readable(bytes: Uint8Array): string {
  return textOf(bytes) ?? base64(bytes);
}

function compiledPattern(pattern: string, ignoreCase = false): RegExp {
  try {
    return new RegExp(pattern, ignoreCase ? "iu" : "u");
  } catch (error) {
    throw new UsageError(`--grep: ${(error as Error).message}`, { cause: error });
  }
}

const NAMES = ["key", "value", "text", "headers", "topic", "partition", "offset", "timestamp", "time"] as const;

/** The expression is the user's own code, and runs as such. */
function compiledExpression(expression: string): (record: ConsumerRecord) => unknown {
  let compiled: (...args: unknown[]) => unknown;
  try {
    compiled = new Function(...NAMES, `"use strict"; return (${expression}\n);`) as typeof compiled;
  } catch (error) {
    throw new UsageError(`--filter: ${(error as Error).message}: ${expression}`, {
      cause: error,
      hint: `it is an expression of JavaScript with ${NAMES.join(", ")}, such as 'value.amount > 100'`,
    });
  }
  // Parts of a record that the expression does not mention need not be decoded.
  const uses = (name: string) => new RegExp(`\\b${name}\\b`).test(expression);
  const [usesValue, usesText, usesHeaders] = ["value", "text", "headers"].map(uses);
  return ({ key, value, headers, topic, partition, offset, timestamp }) => {
    const text = usesValue || usesText ? readable(value) : undefined;
    return compiled(
      key && readable(key),
      usesValue ? jsonOrText(text!) : undefined,
      text,
      usesHeaders ? Object.fromEntries(headers.map((each) => [each.name, readable(each.value)])) : undefined,
      topic,
      partition,
      offset,
      timestamp,
      new Date(timestamp),
    );
  };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
