/** The command's log: an event a line, on stderr. */
import { LogStoreError } from "@logstore/codec";
import { type Logger, pino } from "pino";
import type { ServerConfig } from "./config-schema.js";

/** Where nobody reads stderr, so much waits; lines beyond it are dropped. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

export interface Log {
  readonly log: Logger;
  /** Writes what waits. To be called before the process ends. */
  flush(): void;
}

/** @param sink where lines go; default: stderr, without waiting for it */
export function openLog({ level, format }: ServerConfig["log"], sink?: (line: string) => void): Log {
  const stderr =
    sink === undefined ? pino.destination({ dest: 2, sync: false, maxLength: MAX_WAITING_BYTES }) : undefined;
  const write = sink ?? ((line: string) => void stderr!.write(line));
  const destination = format === "text" ? { write: (line: string) => write(asText(line)) } : { write };
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: described },
    },
    destination,
  );
  return { log, flush: () => stderr?.flushSync() };
}

/** An error of ours by its code and fields; one that was not foreseen with where it comes from. */
export function described(error: unknown): unknown {
  if (error instanceof LogStoreError) {
    const { code, message, fields, cause } = error;
    return { code, message, ...fields, ...(cause !== undefined && { cause: String(cause) }) };
  }
  if (error instanceof Error) return { type: error.name, message: error.message, stack: error.stack };
  return { message: String(error) };
}

/** "2026-01-02T03:04:05.678Z INFO listening address=127.0.0.1:7411" */
function asText(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const words = Object.entries(fields).map(
    ([name, value]) => ` ${name}=${typeof value === "string" && !/[\s"]/.test(value) ? value : JSON.stringify(value)}`,
  );
  return `${time} ${String(level).toUpperCase()} ${msg}${words.join("")}\n`;
}
