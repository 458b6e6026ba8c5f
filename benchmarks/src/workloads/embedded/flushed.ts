/** 64 appenders, each of which waits until its value is on disk before it sends the next. */
import { beside, EMBEDDED } from "../../contestants/list.ts";
import type { Settings } from "../../settings.ts";
import type { Result } from "../../statistics/result.ts";
import { ratioOf } from "../../statistics/spread.ts";
import { contest } from "./contest.ts";

const APPENDERS = 64;
const VALUE_BYTES = 100;

export async function embeddedFlushed(settings: Settings): Promise<Result[]> {
  const { directory, rounds, runMs, records } = settings;
  const contestants = beside(EMBEDDED, settings.beside).filter(({ name }) => name !== "LogStore, records");
  const { append } = await contest(
    {
      ...{ contestants, directory, rounds, runMs, records, durability: "flushed" },
      firstCount: APPENDERS * 2,
      step: APPENDERS,
    },
    ["append"],
    async (worker, count) => {
      const ms = await worker.ask("appendSingly", { count, valueBytes: VALUE_BYTES, appenders: APPENDERS });
      await worker.ask("remove", undefined as never);
      return { stored: count, appendMs: ms, append: (count / ms) * 1_000 };
    },
  );
  const of = (name: string) => append.find(({ contestant }) => contestant === name);
  return [
    {
      name: "embedded.flushed.64",
      title: `${APPENDERS} appenders, ${VALUE_BYTES} B each, flushed`,
      unit: "records/s",
      series: append,
      ratios: [ratioOf("embedded.flushed.64.node-sqlite", of("LogStore"), of("node:sqlite"), { atLeast: 20 })],
    },
  ];
}
