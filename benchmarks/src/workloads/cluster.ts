/** Partitions that a NATS JetStream cluster stores, beside JetStream alone. */
import { CLUSTER } from "../contestants/list.ts";
import { progress } from "../reports/progress.ts";
import type { Settings } from "../settings.ts";
import type { Result } from "../statistics/result.ts";
import { bestOf, ratioOf, type Series } from "../statistics/spread.ts";
import { failover } from "./cluster/failover.ts";
import { eightPartitions } from "./cluster/many-partitions.ts";
import { contest } from "./served/contest.ts";

const VALUE_BYTES = 100;

export async function cluster(settings: Settings): Promise<Result[]> {
  const results = await onePartition(settings);
  progress("eight partitions");
  results.push(await eightPartitions(settings));
  progress("brokers that stop, and that are killed");
  return [...results, ...(await failover(settings))];
}

async function onePartition(settings: Settings): Promise<Result[]> {
  const shape = { valueBytes: VALUE_BYTES, durability: "replicated" } as const;
  const { produce, consume } = await contest(settings, CLUSTER, shape);
  const find = (series: readonly Series[], name: string) => series.find(({ contestant }) => contestant === name);
  const [sealed, many] = ["LogStore, sealed", "LogStore, sendMany"].map((name) => find(produce, name));
  const whole = find(produce, "JetStream, one in flight");
  const inProcess = find(produce, "LogStore, in process");
  const batches = find(consume, "LogStore, sealed");
  return [
    {
      name: "cluster.produce",
      title: `Cluster: produce, ${VALUE_BYTES} B, replicated three times`,
      unit: "records/s",
      series: produce,
      ratios: [
        ratioOf("cluster.produce.one-in-flight", sealed, whole, { atLeast: 0.8 }),
        ratioOf("cluster.produce.in-process", inProcess, whole),
        ratioOf("cluster.produce.single", many, find(produce, "JetStream"), { atLeast: 10 }),
      ],
    },
    {
      name: "cluster.consume",
      title: `Cluster: consume, ${VALUE_BYTES} B`,
      unit: "records/s",
      series: consume,
      ratios: [
        ratioOf("cluster.consume.ordered", batches, find(consume, "JetStream, one in flight"), { atLeast: 0.7 }),
        ratioOf(
          "cluster.consume.in-process",
          find(consume, "LogStore, in process"),
          find(consume, "JetStream, one in flight"),
        ),
        ratioOf(
          "cluster.consume.best",
          batches,
          bestOf(
            consume.filter(({ contestant }) => contestant.startsWith("JetStream")),
            "higher",
          ),
        ),
      ],
    },
  ];
}
