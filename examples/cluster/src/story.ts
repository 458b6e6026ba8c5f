/** What happens to the cluster, one event after another. */
import { sleep } from "./processes/child.ts";
import { recovered, type Stage } from "./stage.ts";

/** How long nothing happens between two events, ms. */
const CALM_MS = 2_000;
/** How long a process is away, ms. */
const AWAY_MS = 4_000;

type Event = (stage: Stage) => Promise<void>;

const killBroker: Event = async (stage) => {
  const { brokers, lines } = stage;
  lines.harm("broker a is killed (kill -9)");
  await brokers.kill("a");
  await recovered(stage, "a broker is killed");
  await startBroker(stage, "a");
};

const killNatsNode: Event = async (stage) => {
  const { nats, lines } = stage;
  const name = await nats.busiest();
  lines.harm(`NATS node ${name}, which leads the most streams, is killed (kill -9)`);
  await nats.node(name).end("SIGKILL");
  await recovered(stage, "a NATS node is killed");
  await startNode(stage, name);
};

const addBroker: Event = (stage) => startBroker(stage, "c");

const stopBroker: Event = async (stage) => {
  const { brokers, lines } = stage;
  lines.harm("broker b is stopped, as for an upgrade (SIGTERM)");
  await brokers.stop("b");
  await recovered(stage, "a broker is stopped");
  await startBroker(stage, "b");
};

/** Two of three: nothing can be acknowledged before one of them is back. */
const loseQuorum: Event = async (stage) => {
  const { nats, lines } = stage;
  lines.harm("NATS nodes n1 and n2 are killed at once: there is no quorum");
  await Promise.all([nats.node("n1").end("SIGKILL"), nats.node("n2").end("SIGKILL")]);
  await sleep(AWAY_MS);
  lines.help("NATS nodes n1 and n2 are started again");
  await Promise.all([nats.node("n1").start(), nats.node("n2").start()]);
  await recovered(stage, "two NATS nodes are killed");
  await nats.healthy();
};

const EVENTS: readonly Event[] = [killBroker, killNatsNode, addBroker, stopBroker, loseQuorum];

/** Each event begins when the effects of the one before are over. */
export async function run(stage: Stage): Promise<void> {
  for (const event of EVENTS) {
    await sleep(CALM_MS);
    await event(stage);
  }
  await sleep(CALM_MS);
}

async function startBroker(stage: Stage, name: string): Promise<void> {
  await stage.brokers.start(name);
  stage.lines.help(`broker ${name} is started, and gets its share of the partitions`);
  await sleep(CALM_MS);
  await recovered(stage, "a broker joins");
}

async function startNode({ nats, lines }: Stage, name: string): Promise<void> {
  await nats.node(name).start();
  await nats.healthy();
  lines.help(`NATS node ${name} is started again, and has caught up`);
}
