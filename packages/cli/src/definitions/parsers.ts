/** Parsers of the values on the command line. */
import type { Durability } from "@logstore/client";
import { UsageError } from "../errors/cli-error.js";

/** @throws UsageError */
export function wholeNumber(min = 0, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d+(_\d+)*$/.test(text) ? Number(text.replaceAll("_", "")) : Number.NaN;
    if (value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new UsageError(`a whole number ${range} is needed, not ${JSON.stringify(text)}`);
  };
}

export const durabilities: readonly Durability[] = ["written", "replicated", "flushed"];

/** @throws UsageError */
export function durability(text: string): Durability {
  const found = durabilities.find((each) => each === text);
  if (found !== undefined) return found;
  throw new UsageError(`${durabilities.join(", ")} are possible, not ${JSON.stringify(text)}`);
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1024,
  kib: 1024,
  m: 1024 ** 2,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gib: 1024 ** 3,
  t: 1024 ** 4,
  tib: 1024 ** 4,
  kb: 1_000,
  mb: 1_000 ** 2,
  gb: 1_000 ** 3,
  tb: 1_000 ** 4,
};

/** "64MiB", "1GB", "4096" → bytes. @throws UsageError */
export function sizeBytes(text: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? [];
  const factor = SIZE_UNITS[unit.toLowerCase()];
  if (number !== undefined && factor !== undefined) return Math.round(Number(number) * factor);
  throw new UsageError(`a size such as 4096, 64MiB or 1GB is needed, not ${JSON.stringify(text)}`);
}

/** Also accepts the word "default", which resets the option to the server's default. */
export function orDefault<T>(parse: (text: string) => T): (text: string) => T | "default" {
  return (text) => (text === "default" ? text : parse(text));
}

/** "0,2-4" → [0, 2, 3, 4]. @throws UsageError */
export function partitionList(text: string): number[] {
  const partitions = new Set<number>();
  const parse = wholeNumber(0, 2 ** 32 - 1);
  for (const part of text.split(",")) {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? [];
    if (first === undefined) {
      throw new UsageError(`partitions such as 3, 0,2 or 0-7 are needed, not ${JSON.stringify(text)}`);
    }
    const [from, to] = [parse(first), parse(last!)];
    if (to < from || to - from > 1_000_000) throw new UsageError(`${JSON.stringify(part)} is no range of partitions`);
    for (let partition = from; partition <= to; partition++) partitions.add(partition);
  }
  return [...partitions].sort((a, b) => a - b);
}
