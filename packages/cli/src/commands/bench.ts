import { randomBytes } from "node:crypto";
import type { CompressionName, Durability } from "@logstore/client";
import { type BenchRequest, consume, MIN_VALUE_BYTES, type PhaseResult, produce } from "../bench/phases.js";
import type { Context } from "../command/context.js";
import { UsageError } from "../errors/cli-error.js";
import { bytes, count } from "../output/numbers.js";
import type { Column } from "../output/table.js";

interface Options {
  readonly topic?: string;
  readonly partitions?: number;
  readonly records?: number;
  readonly size?: number;
  readonly rate?: number;
  readonly compression?: CompressionName;
  readonly durability?: Durability;
  readonly only?: "produce" | "consume";
}

const phases = { produce, consume } as const;

/** Uses a new topic, which is deleted at the end, unless a topic is named. */
export async function run(context: Context, options: Options): Promise<void> {
  const { output, signal } = context;
  const { records = 100_000, size = 100, partitions = 4, rate, only, compression, durability } = options;
  if (size < MIN_VALUE_BYTES) throw new UsageError(`--size must be at least ${MIN_VALUE_BYTES}: a value holds a time`);
  if (only === "consume" && options.topic === undefined) throw new UsageError("--only consume needs --topic");
  const { client } = await context.open();
  const topic = options.topic ?? `bench-${randomBytes(4).toString("hex")}`;
  if (options.topic === undefined) {
    await client.createTopic(topic, { partitions });
    context.onEnd(() => client.deleteTopic(topic));
  }
  const producer = {
    ...(compression !== undefined && { compression }),
    ...(durability !== undefined && { durability }),
  };
  const results: PhaseResult[] = [];
  for (const phase of only === undefined ? (["produce", "consume"] as const) : [only]) {
    const progress = await output.progress({ label: phase, total: records, unit: "records" });
    const request: BenchRequest = {
      client,
      topic,
      records,
      valueBytes: size,
      rate,
      producer,
      signal,
      onProgress: progress.update,
    };
    try {
      results.push(await phases[phase](request));
    } finally {
      progress.end();
    }
  }
  await output.list(results.flatMap(rowsOf), columns, "nothing was measured");
}

type Row = Omit<PhaseResult, "latency" | "endToEnd"> & {
  readonly measured: string;
  readonly latency: PhaseResult["latency"];
};

/** The latencies of one phase may be of two kinds. */
function rowsOf({ latency, endToEnd, ...phase }: PhaseResult): Row[] {
  const rows: Row[] = [{ ...phase, measured: phase.phase === "produce" ? "acknowledged" : "read", latency }];
  if (endToEnd !== undefined) rows.push({ ...phase, measured: "end to end", latency: endToEnd });
  return rows;
}

function percentile(title: string, name: keyof NonNullable<Row["latency"]>): Column<Row> {
  return {
    title,
    value: ({ latency }) => latency && `${latency[name].toFixed(latency[name] < 10 ? 2 : 0)} ms`,
    align: "right",
    isOptional: true,
  };
}

const columns: readonly Column<Row>[] = [
  { title: "PHASE", value: ({ phase }) => phase },
  { title: "MEASURED", value: ({ measured }) => measured },
  { title: "RECORDS", value: ({ records }) => count(records), align: "right" },
  {
    title: "RECORDS/S",
    value: ({ records, ms }) => count((records * 1000) / ms),
    align: "right",
    format: () => "green",
  },
  { title: "VALUES/S", value: (row) => `${bytes((row.bytes * 1000) / row.ms)}`, align: "right" },
  percentile("P50", "p50"),
  percentile("P95", "p95"),
  percentile("P99", "p99"),
  percentile("P99.9", "p999"),
  percentile("MAX", "max"),
];
