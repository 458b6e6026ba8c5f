/** The record batch format alone, in memory, beside copying the same values and slicing them. */
import type { CodecReport } from "../processes/programs/codec-alone.ts";
import { runProgram } from "../processes/run-program.ts";
import type { Settings } from "../settings.ts";
import type { Result } from "../statistics/result.ts";
import { ratioOf } from "../statistics/spread.ts";

const VALUE_BYTES = [100, 1_024];
const BATCH = 1_000;
/** Everything is kept in memory. */
const MOST_BYTES = 100e6;

export async function codecAlone({ rounds, records }: Settings): Promise<Result[]> {
  const results: Result[] = [];
  for (const valueBytes of VALUE_BYTES) {
    const batches = Math.max(1, Math.floor(Math.min(records, MOST_BYTES / valueBytes) / BATCH));
    const { report } = await runProgram<CodecReport>("codec-alone", [rounds, batches, valueBytes]);
    const result = (what: string, title: string, limit: string, values: readonly number[][]): Result => {
      const names = [limit, "LogStore", "LogStore, zstd"];
      const series = names.map((contestant, i) => ({ contestant, values: values[i]! }));
      const name = `codec.${what}.${valueBytes}`;
      const ratios = [ratioOf(name, series[1], series[0])];
      return { name, title: `Codec: ${title}, ${valueBytes} B`, unit: "records/s", series, ratios };
    };
    results.push(
      result("encode", "make batches", "copy + CRC", [report.copy, report.encode, report.encodeZstd]),
      result("decode", "verify batches and read values", "slice", [report.slice, report.decode, report.decodeZstd]),
    );
  }
  return results;
}
