/**
 * Kafka's own performance tools, as the native reference: they make their values themselves, so
 * that only their number is checked.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { LogConnection } from "../../src/contestants/served.ts";
import { kafkaCommand } from "./kafka-jars.ts";
import { connect as connectAdmin } from "./kafkajs.ts";

const HEAP_MIB = 512;
const TIMEOUT_MS = 90_000;
const execute = promisify(execFile);

export const settings =
  "ProducerPerformance with acks=1, linger.ms=5, batch.size=262144; ConsumerPerformance; heap 512 MiB; their own figures, without the start of the JVM and without joining the group";

export async function connect(address: string): Promise<LogConnection> {
  kafkaCommand("", HEAP_MIB); // throws if it is not there
  const topics = await connectAdmin(address);
  let lastMs = 0;
  return {
    lastMs: () => lastMs,
    createTopic: (topic) => topics.createTopic(topic),
    deleteTopic: (topic) => topics.deleteTopic(topic),
    async produce(topic, { count, valueBytes }) {
      const numbers = ["--num-records", `${count}`, "--record-size", `${valueBytes}`, "--throughput", "-1"];
      const properties = [`bootstrap.servers=${address}`, "acks=1", "linger.ms=5", "batch.size=262144"];
      const output = await run("org.apache.kafka.tools.ProducerPerformance", [
        ...["--topic", topic, ...numbers, "--producer-props", ...properties],
      ]);
      lastMs = (count / figureOf(output, /([\d.]+) records\/sec/)) * 1_000;
    },
    async consume(topic, sink, count) {
      const output = await run("org.apache.kafka.tools.ConsumerPerformance", [
        ...["--bootstrap-server", address, "--topic", topic, "--messages", `${count}`, "--hide-header"],
      ]);
      const columns = output.trim().split("\n").at(-1)!.split(", ");
      sink.seen = Number(columns[4]);
      lastMs = Number(columns[7]);
    },
    close: () => topics.close(),
  };
}

async function run(className: string, more: readonly string[]): Promise<string> {
  const { java, args } = kafkaCommand(className, HEAP_MIB);
  const { stdout } = await execute(java, [...args, ...more], { timeout: TIMEOUT_MS, killSignal: "SIGKILL" });
  return stdout;
}

/** Of the last line, which is about all records. */
function figureOf(output: string, pattern: RegExp): number {
  const figure = Number(pattern.exec(output.trim().split("\n").at(-1)!)?.[1]);
  if (!(figure > 0)) throw new Error(`the tool printed no figure:\n${output}`);
  return figure;
}
