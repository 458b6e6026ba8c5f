/** Apache Kafka: one node, broker and controller, with a fixed heap. */
import { execFileSync } from "node:child_process";
import { globSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunningServer, ServerOptions } from "../../src/contestants/served.ts";
import { freePort } from "../../src/processes/free-port.ts";
import { kafkaCommand } from "./kafka-jars.ts";
import { START_TIMEOUT_MS, startProgram } from "./start-program.ts";

const HEAP_MIB = 1_024;
const CLUSTER_ID = "bG9nc3RvcmUtYmVuY2htYQ";

export async function start({ directory, durability }: ServerOptions): Promise<RunningServer> {
  const format = kafkaCommand("kafka.tools.StorageTool", 256);
  const server = kafkaCommand("kafka.Kafka", HEAP_MIB);
  const [port, controllerPort] = [await freePort(), await freePort()];
  const flush = durability === "flushed" ? { "log.flush.interval.messages": 1 } : {};
  const properties = {
    "process.roles": "broker,controller",
    "node.id": 1,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    "log.dirs": join(directory, "logs"),
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    ...flush,
  };
  const file = join(directory, "server.properties");
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}`);
  await writeFile(file, `${lines.join("\n")}\n`);
  execFileSync(format.java, [...format.args, "format", "--cluster-id", CLUSTER_ID, "--config", file], {
    ...{ stdio: "pipe", timeout: START_TIMEOUT_MS },
  });
  const running = await startProgram(server.java, [...server.args, file], { port, directory });
  return {
    address: `127.0.0.1:${port}`,
    version: versionOf(),
    settings: `KRaft, one node, heap ${HEAP_MIB} MiB; ${durability === "flushed" ? "log.flush.interval.messages 1" : "flushed by the operating system"}`,
    ...running,
  };
}

function versionOf(): string {
  const [jar = ""] = globSync("kafka-clients-*.jar", { cwd: fileURLToPath(new URL("../kafka/jars", import.meta.url)) });
  return basename(jar, ".jar").replace("kafka-clients-", "Apache Kafka ");
}
