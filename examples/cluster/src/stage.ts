/** The cluster and its traffic, and how to find out whether all is well. */
import type { LogClient } from "@logstore/client";
import { duration, type Lines } from "./lines.ts";
import type { Brokers } from "./processes/brokers.ts";
import { sleep } from "./processes/child.ts";
import type { NatsNodes } from "./processes/nats-nodes.ts";
import type { Ledger, Pauses } from "./traffic/ledger.ts";
import { TOPIC, type Traffic } from "./traffic/traffic.ts";

/** A longer wait means that something is wrong. */
const PATIENCE_MS = 120_000;

/** What happened, and how long it was felt. */
export interface Outcome extends Pauses {
  readonly event: string;
}

export interface Stage {
  readonly nats: NatsNodes;
  readonly brokers: Brokers;
  readonly client: LogClient;
  readonly traffic: Traffic;
  readonly ledger: Ledger;
  readonly lines: Lines;
  readonly outcomes: Outcome[];
}

/**
 * Resolves when each partition has taken a record that was sent after this call, and the group has
 * read it. Adds the pauses since the last event to the outcomes.
 */
export async function recovered({ traffic, ledger, lines, outcomes, ...stage }: Stage, event: string): Promise<void> {
  const sent = traffic.next;
  const deadline = performance.now() + PATIENCE_MS;
  while (!ledger.isBeyond(sent)) {
    if (performance.now() > deadline) throw new Error(`not all partitions are written and read after: ${event}`);
    await sleep(20);
  }
  const pauses = ledger.takePauses();
  outcomes.push({ event, ...pauses });
  const { writes, reads } = pauses;
  lines.good(
    `all partitions are written and read; pauses of up to ${duration(writes)}, and ${duration(reads)} for readers`,
  );
  lines.more(await owners(stage));
}

/** For instance "broker a: 0 2 4   broker b: 1 3 5". */
export async function owners({ client, brokers }: Pick<Stage, "client" | "brokers">): Promise<string> {
  const { partitions } = await client.describeTopic(TOPIC);
  const byBroker = Map.groupBy(partitions, ({ ownerAddress }) => brokers.nameOf(ownerAddress) ?? "none");
  return [...byBroker]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, owned]) => `broker ${name}: ${owned.map(({ partition }) => partition).join(" ")}`)
    .join("   ");
}
