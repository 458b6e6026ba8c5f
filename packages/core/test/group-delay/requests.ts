/** Permitted requests that are large in different ways, and how long each blocks the event loop. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { AssignmentEvent, GroupApi, GroupMembership, JoinGroupRequest } from "@logstore/protocol";
import { LoopCpu } from "./loop-cpu.js";

/** The exports of core that the measurement needs. */
export interface Build {
  open(storage: object, topics: ReadonlyMap<string, number>): Promise<GroupApi & { close(): Promise<void> }>;
  newStorage(): object;
}

export interface Measured {
  readonly name: string;
  readonly maxDelayMs: number;
  /**
   * Processor time of this thread in one turn of the event loop, which is independent of the load
   * of the machine.
   */
  readonly maxCpuMs: number;
  readonly tookMs: number;
}

class Member {
  readonly membership: GroupMembership;
  readonly #events: AsyncIterator<unknown>;
  memberId = "";
  epoch = 0;
  assignment: AssignmentEvent | undefined;
  #heard = Promise.withResolvers<void>();

  constructor(api: GroupApi, request: JoinGroupRequest) {
    this.membership = api.joinGroup({ sessionTimeoutMs: 600_000, revokeTimeoutMs: 600_000, ...request });
    this.#events = this.membership[Symbol.asyncIterator]();
    this.#listen().catch(() => {}); // the coordinator is closed
  }

  /** The next assignment, which may have arrived already. */
  async assigned(): Promise<AssignmentEvent> {
    while (this.assignment === undefined) await this.#heard.promise;
    const { assignment } = this;
    this.assignment = undefined;
    return assignment;
  }

  async #listen(): Promise<void> {
    for (let next = await this.#events.next(); !next.done; next = await this.#events.next()) {
      const event = next.value as AssignmentEvent | { type: "joined"; memberId: string; memberEpoch: number };
      this.epoch = event.memberEpoch;
      if (event.type === "joined") this.memberId = event.memberId;
      if (event.type !== "assignment") continue;
      this.assignment = event;
      this.#heard.resolve();
      this.#heard = Promise.withResolvers();
    }
  }
}

const range = <T>(count: number, of: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => of(i));
const partitionsOf = (topics: ReadonlyMap<string, number>, count: number) =>
  [...topics]
    .flatMap(([topic, partitions]) => range(partitions, (partition) => ({ topic, partition })))
    .slice(0, count);

/** At `scale` 1 the sizes are those in the results' names; smaller values are for a quick look. */
export async function measureAll(build: Build, scale = 1): Promise<Measured[]> {
  const measured: Measured[] = [];
  const measure = async (name: string, work: () => Promise<unknown>) => {
    await rest();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    const cpu = new LoopCpu();
    delay.enable();
    await rest();
    const begun = performance.now();
    await work();
    const tookMs = Math.round(performance.now() - begun);
    await rest();
    delay.disable();
    measured.push({ name, maxDelayMs: Math.round(delay.max / 1e6), maxCpuMs: cpu.stop(), tookMs });
  };
  await patterns(build, measure, scale);
  await takeover(build, measure, scale);
  await manyGroups(build, measure, scale);
  return measured;
}

type Measure = (name: string, work: () => Promise<unknown>) => Promise<void>;

async function patterns(build: Build, measure: Measure, scale: number): Promise<void> {
  const topics = new Map(range(200, (i) => [`topic-${i}-${"x".repeat(30)}`, 1]));
  const api = await build.open(build.newStorage(), topics);
  const subscription = (i: number) => range(Math.ceil(999 * scale), (j) => `*${i}*${j}*x*y*`.slice(0, 249)).concat("*");
  const members: Member[] = [];
  await measure("20 members with 1,000 patterns each join, 200 topics", async () => {
    for (let i = 0; i < 20; i++) members.push(new Member(api, { group: "g", topics: subscription(i) }));
    await Promise.all(members.map((member) => member.assigned()));
  });
  await measure("one of them subscribes to 1,000 others", async () => {
    members[0]!.membership.subscribe(subscription(99));
    await api.fetchOffsets("g");
    await new Promise((resolve) => setTimeout(resolve, 50));
    await api.describeGroup("g");
  });
  await api.close();
}

async function takeover(build: Build, measure: Measure, scale: number): Promise<void> {
  const topics = new Map(range(3, (i) => [`topic-${i}`, Math.ceil(10_000 * scale)]));
  const api = await build.open(build.newStorage(), topics);
  const all = partitionsOf(topics, 30_000);
  const first = new Member(api, { group: "g", topics: ["*"] });
  await measure("one member joins, and gets 30,000 partitions", () => first.assigned());
  await measure("it commits all of them in one request", () => {
    const offsets = all.map((each) => ({ ...each, offset: 5, metadata: "m" }));
    return api.commitOffsets({ group: "g", memberId: first.memberId, memberEpoch: first.epoch, offsets });
  });
  const others: Member[] = [];
  await measure("299 others join at once", async () => {
    for (let i = 0; i < 299; i++) others.push(new Member(api, { group: "g", topics: ["*"] }));
    await Promise.all([first, ...others].map((member) => member.assigned()));
  });
  await measure("it gives up what they get, named twice over: 60,000 partitions in one message", async () => {
    first.membership.revoked(first.epoch, [...all, ...all]);
    await Promise.all(others.map((member) => member.assigned()));
  });
  await measure("offsets of 30,000 partitions are fetched", () => api.fetchOffsets("g"));
  await measure("the group is described", () => api.describeGroup("g"));
  await measure("all 30,000 are reset", () => api.resetOffsets({ group: "g", to: 1 }));
  await measure("groups are listed", () => api.listGroups());
  await measure("200 members leave at once", () =>
    Promise.all(others.slice(0, 200).map((member) => member.membership.leave())),
  );
  await api.close();
}

async function manyGroups(build: Build, measure: Measure, scale: number): Promise<void> {
  const topics = new Map(range(200, (i) => [`topic-${i}`, 4]));
  const storage = build.newStorage();
  let api = await build.open(storage, topics);
  const groups = range(Math.ceil(2000 * scale), (i) => `g${i}`);
  const joinAll = () => groups.map((group) => new Member(api, { group, topics: ["*"] }));
  let members: Member[] = [];
  await measure("2,000 groups of one member each begin, 200 topics of 4 partitions", async () => {
    members = joinAll();
    await Promise.all(members.map((member) => member.assigned()));
  });
  await api.close();
  const before = members.map(({ memberId, epoch }) => ({ memberId, memberEpoch: epoch }));
  await measure("a restart with 2,000 groups", async () => {
    api = await build.open(storage, topics);
  });
  await measure("their members come back at once", async () => {
    members = groups.map((group, i) => new Member(api, { group, topics: ["*"], ...before[i]! }));
    await Promise.all(members.map((member) => member.assigned()));
  });
  await measure("500 members join one group", async () => {
    const joined = range(Math.ceil(500 * scale), () => new Member(api, { group: "more", topics: ["*"] }));
    await Promise.all(joined.map((member) => member.assigned()));
  });
  await measure("all groups are listed", () => api.listGroups());
  await api.close();
}

function rest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 30));
}
