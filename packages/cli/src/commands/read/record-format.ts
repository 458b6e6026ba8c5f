/** The output formats of records. */
import type { ConsumerRecord } from "@logstore/client";
import { UsageError } from "../../errors/cli-error.js";
import { bytes, time } from "../../output/numbers.js";
import { printable } from "../../output/printable.js";
import type { Style } from "../../output/style.js";
import { hexDump } from "../../values/hex-dump.js";
import { recordJson } from "../../values/record-json.js";
import { base64, textOf } from "../../values/text-or-bytes.js";

export type RecordFormat = (record: ConsumerRecord) => string | Uint8Array;

export interface FormatSettings {
  /**
   * Whether the output is a terminal, so that characters that move the cursor are escaped in keys
   * and values.
   */
  readonly isTerminal: boolean;
  readonly style: Style;
  readonly parsesJson: boolean;
}

/** @throws UsageError */
export function recordFormat(name: string, settings: FormatSettings): RecordFormat {
  if (name === "json") return (record) => `${JSON.stringify(recordJson(record, settings.parsesJson))}\n`;
  if (name === "raw") return ({ value }) => value;
  if (name === "value") return ({ value }) => Buffer.concat([value, NEWLINE]);
  if (name === "hex") return (record) => `${head(record, settings)}\n${hexDump(record.value)}\n`;
  if (name === "text") return (record) => `${head(record, settings)}  ${shown(record.value, settings)}\n`;
  throw new UsageError(`there is no format ${JSON.stringify(name)}`);
}

const NEWLINE = Buffer.from("\n");

/** Partition and offset, time, key and headers. */
function head(record: ConsumerRecord, settings: FormatSettings): string {
  const { partition, offset, timestamp, key, headers } = record;
  const { style } = settings;
  const parts = [style("dim", `${partition}:${offset}`), style("blue", time(timestamp))];
  parts.push(key === null ? style("dim", "-") : style("cyan", shown(key, settings)));
  for (const { name, value } of headers) parts.push(style("magenta", `${printable(name)}=${shown(value, settings)}`));
  return parts.join("  ");
}

function shown(value: Uint8Array, { isTerminal, style }: FormatSettings): string {
  const text = textOf(value);
  if (text === undefined) return style("dim", `(${bytes(value.length)} that are not text: see --format hex)`);
  return isTerminal ? printable(text) : text.replaceAll("\n", "\\n");
}

const FIELDS: Readonly<Record<string, (record: ConsumerRecord) => Uint8Array | string | number>> = {
  t: ({ topic }) => topic,
  p: ({ partition }) => partition,
  o: ({ offset }) => offset,
  k: ({ key }) => key ?? "",
  K: ({ key }) => key?.length ?? -1,
  v: ({ value }) => value,
  s: ({ value }) => value,
  S: ({ value }) => value.length,
  T: ({ timestamp }) => timestamp,
  d: ({ timestamp }) => new Date(timestamp).toISOString(),
  h: ({ headers }) => headers.map(({ name, value }) => `${name}=${textOf(value) ?? base64(value)}`).join(","),
};

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", 0: "\0", "\\": "\\" };

/** A format string: "%p:%o %k %v\n". Bytes are written as they are. @throws UsageError */
export function formatString(template: string): RecordFormat {
  const parts: (Uint8Array | ((record: ConsumerRecord) => Uint8Array | string | number))[] = [];
  for (const [, percent, escaped, literal] of template.matchAll(/%([\s\S]?)|\\([\s\S]?)|([^%\\]+)/g)) {
    if (percent !== undefined && percent !== "%") {
      const field = FIELDS[percent];
      if (field === undefined) throw unknownField(percent);
      parts.push(field);
    } else parts.push(Buffer.from(literal ?? (escaped === undefined ? "%" : (ESCAPES[escaped] ?? `\\${escaped}`))));
  }
  return (record) =>
    Buffer.concat(
      parts.map((part) => {
        const value = typeof part === "function" ? part(record) : part;
        return value instanceof Uint8Array ? value : Buffer.from(String(value));
      }),
    );
}

function unknownField(name: string): UsageError {
  return new UsageError(`--format-string: there is no field %${name}`, {
    hint: "%t topic, %p partition, %o offset, %k key, %K its length, %v value, %S its length, %T time in ms, %d its date, %h headers",
  });
}
