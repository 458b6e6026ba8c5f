/**
 * The faults, by name. Each is over, and what was stopped runs again, when its promise resolves.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "@logstore/client";
import { Broker } from "@logstore/core";
import { JetStreamEngine } from "@logstore/engine-jetstream";
import { type BrokerProcess, LEASE_MS } from "./brokers.ts";
import type { Scene } from "./scene.ts";

type Fault = (scene: Scene) => Promise<void>;

const DUEL_MS = 2_000;
/** Longer than NATS takes to elect another leader. */
const STOPPED_MS = 9_000;

export const faults: Record<string, Fault> = {
  "NATS: leader killed": async (scene) => killNats(scene, [await scene.leader()]),
  "NATS: follower killed": async (scene) => killNats(scene, [otherThan(scene, await scene.leader())]),
  "NATS: two of three killed": async (scene) => killNats(scene, two(scene)),
  "NATS: leader stopped": async (scene) => stopNats(scene, [await scene.leader()]),
  "NATS: follower stopped": async (scene) => stopNats(scene, [otherThan(scene, await scene.leader())]),
  "NATS: two of three stopped": async (scene) => stopNats(scene, two(scene)),

  "broker killed": async (scene) => {
    const broker = await scene.owner();
    await broker.kill();
    await scene.workload.goesOn();
    await broker.start();
  },

  "broker stopped beyond its lease": (scene) =>
    disturb(
      scene,
      (broker) => broker.signal("SIGSTOP"),
      (broker) => broker.signal("SIGCONT"),
    ),

  "broker cut off from NATS": (scene) =>
    disturb(
      scene,
      (broker) => broker.cutOff(),
      (broker) => broker.letGo(),
    ),

  "broker not heard by NATS": (scene) =>
    disturb(
      scene,
      (broker) => broker.holdUp(),
      (broker) => broker.letGo(),
    ),

  "broker drained": async (scene) => {
    const broker = await scene.owner();
    await broker.stop();
    await scene.workload.goesOn();
    await broker.start();
  },

  /** A broker without an address heeds no lease: it believes that it owns everything. */
  "two brokers that both own": async ({ nats, workload, random }) => {
    const engine = await JetStreamEngine.open({ servers: nats.addresses, broker: "rogue", requestTimeoutMs: 2_000 });
    const broker = await Broker.openOn(engine);
    const client = connect(broker);
    try {
      const end = performance.now() + DUEL_MS;
      const name = `r${Math.floor(random() * 2 ** 31)}`;
      await workload.sendThrough(client, name, () => performance.now() > end);
    } finally {
      await client.close();
      await broker.close();
    }
  },
};

/** Only what is synced survives it. */
export const ALL_KILLED = "NATS: all three killed";

export const faultsWithSync: Record<string, Fault> = {
  ...faults,
  [ALL_KILLED]: async (scene) => killNats(scene, [0, 1, 2]),
};

/** The cluster goes on without one server, and after several have returned. */
async function killNats({ nats, workload, between }: Scene, nodes: readonly number[]): Promise<void> {
  for (const node of nodes) nats.signal(node, "SIGKILL");
  try {
    if (nodes.length === 1) await workload.goesOn();
    else await sleep(between(500, 3_000));
  } finally {
    for (const node of nodes) nats.startNode(node);
  }
}

async function stopNats({ nats, between }: Scene, nodes: readonly number[]): Promise<void> {
  for (const node of nodes) nats.signal(node, "SIGSTOP");
  try {
    await sleep(between(1_000, STOPPED_MS));
  } finally {
    for (const node of nodes) nats.signal(node, "SIGCONT");
  }
}

/** The owner of a partition is disturbed until its lease has expired, and longer. */
async function disturb(
  scene: Scene,
  begin: (broker: BrokerProcess) => void,
  end: (broker: BrokerProcess) => void,
): Promise<void> {
  const broker = await scene.owner();
  begin(broker);
  try {
    await sleep(LEASE_MS * scene.between(1.5, 3.5));
  } finally {
    end(broker);
  }
}

function otherThan({ nats, pick }: Scene, node: number): number {
  return pick(Array.from({ length: nats.count }, (_, i) => i).filter((i) => i !== node));
}

function two({ pick }: Scene): number[] {
  const first = pick([0, 1, 2]);
  return [first, pick([0, 1, 2].filter((i) => i !== first))];
}
