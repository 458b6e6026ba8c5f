/** Runs classes of Apache Kafka with the jars that `pnpm bench:install` fetches by Maven. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Skipped } from "../../src/contestants/embedded.ts";
import { programOf } from "./start-program.ts";

const JARS = fileURLToPath(new URL("../kafka/jars", import.meta.url));

/** The program and its first arguments, to which those of the class are added. */
export function kafkaCommand(className: string, heapMiB: number): { readonly java: string; readonly args: string[] } {
  const java = programOf("java", "JAVA");
  if (!existsSync(JARS)) throw new Skipped("Kafka is not installed: run pnpm bench:install where there is Maven");
  return { java, args: [`-Xms${heapMiB}m`, `-Xmx${heapMiB}m`, "-cp", `${JARS}/*`, className] };
}
