/** The command's log: one line per event, on stderr. */
import { LogStoreError } from "@logstore/codec";
import { type Logger, pino } from "pino";
import type { ServerConfig } from "./config-schema.js";
import { printable } from "./printable.js";
import { StderrSink } from "./stderr-sink.js";

/** Largest length of a text, in characters: it may quote what a peer sent. */
const MAX_TEXT_LENGTH = 2_000;

export interface Log {
  readonly log: Logger;
  /** Number of lines that could not be written. */
  readonly droppedLines: number;
  /** Resolves when waiting lines have been written or dropped. Called before the process exits. */
  flush(): Promise<void>;
}

/** @param sink receives the lines; default: stderr, asynchronously */
export function openLog({ level, format }: ServerConfig["log"], sink?: (line: string) => void): Log {
  const stderr = sink === undefined ? new StderrSink() : undefined;
  const write = sink ?? ((line: string) => stderr!.write(line));
  const asLine = format === "text" ? asText : asJson;
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: (fields) => shortened(fields) as typeof fields },
      serializers: { err: (described) => described },
    },
    { write: (line: string) => write(asLine(line)) },
  );
  return {
    log,
    get droppedLines() {
      return stderr?.droppedLines ?? 0;
    },
    flush: async () => stderr?.flush(),
  };
}

/** Truncates texts at any depth, and describes errors. */
function shortened(value: unknown): unknown {
  if (typeof value === "string") {
    if (value.length <= MAX_TEXT_LENGTH) return value;
    return `${value.slice(0, MAX_TEXT_LENGTH).toWellFormed()}… (${value.length} characters)`;
  }
  if (value instanceof Error) return shortened(described(value));
  if (Array.isArray(value)) return value.map(shortened);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, shortened(name === "err" ? described(each) : each)]),
  );
}

/** Describes a LogStoreError by its code and fields, an unexpected error with its stack. */
export function described(error: unknown): unknown {
  if (error instanceof LogStoreError) {
    const { code, message, fields, cause } = error;
    return { code, message, ...fields, ...(cause !== undefined && { cause: String(cause) }) };
  }
  if (error instanceof Error) return { type: error.name, message: error.message, stack: error.stack };
  return typeof error === "object" && error !== null ? error : { message: String(error) };
}

/** One line without characters that a terminal interprets. */
function asJson(line: string): string {
  return `${printable(line.trimEnd())}\n`;
}

/** "2026-01-02T03:04:05.678Z INFO listening address=127.0.0.1:7411" */
function asText(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const words = Object.entries(fields).map(
    ([name, value]) => ` ${name}=${typeof value === "string" && !/[\s"]/.test(value) ? value : JSON.stringify(value)}`,
  );
  return `${printable(`${time} ${String(level).toUpperCase()} ${msg}${words.join("")}`)}\n`;
}
