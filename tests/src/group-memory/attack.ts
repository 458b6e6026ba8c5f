/** Accumulates state in consumer groups in every possible way, as fast as one principal can. */
import { encode, type Stranger } from "../hostile/stranger.ts";

const PARTITIONS = 2000;
const CONCURRENCY = 8;
const DAY_MS = 24 * 3_600_000;
/** The sizes that releases before 0.2 accepted, and those allowed now. */
const LONG_METADATA = "m".repeat(900_000);
const METADATA = "m".repeat(4096);
const COMMITS_A_REQUEST = 200;

const SERVICE = "/logstore.v1.ConsumerGroupService";

/** Number of calls by kind and error code; "" for successful ones. */
export type Tally = Record<string, Record<string, number>>;

interface Way {
  readonly name: string;
  call(stranger: Stranger, i: number): Promise<{ readonly detail: string | undefined; readonly status: number }>;
}

const join = (stranger: Stranger, group: string, topics: readonly string[]) =>
  stranger.stream(`${SERVICE}/JoinGroup`, [
    encode("JoinGroupRequest", { join: { group, topics, sessionTimeoutMs: DAY_MS, revokeTimeoutMs: DAY_MS } }),
  ]);

const commit = (stranger: Stranger, group: string, offsets: readonly object[]) =>
  stranger.call(`${SERVICE}/CommitOffsets`, encode("CommitOffsetsRequest", { group, offsets }));

const ways: readonly Way[] = [
  {
    name: "one commit with long metadata",
    call: (stranger, i) =>
      commit(stranger, `long-${i}`, [{ topic: "many", partition: 0, offset: 0, metadata: LONG_METADATA }]),
  },
  {
    name: "commits with metadata",
    call: (stranger, i) =>
      commit(
        stranger,
        `metadata-${i}`,
        Array.from({ length: COMMITS_A_REQUEST }, (_, partition) => {
          return { topic: "many", partition, offset: 0, metadata: METADATA };
        }),
      ),
  },
  {
    name: "commits in new groups",
    call: (stranger, i) => commit(stranger, `group-${i}`, [{ topic: "many", partition: 0, offset: 0 }]),
  },
  {
    name: "members with 1,000 subscriptions",
    call: (stranger, i) =>
      join(
        stranger,
        `subscriptions-${Math.floor(i / 500)}`,
        Array.from({ length: 1000 }, (_, j) => `${i}-${j}-${"x".repeat(220)}*`),
      ),
  },
  {
    name: "members of a group each",
    call: (stranger, i) => join(stranger, `member-${i}`, ["none"]),
  },
  {
    name: "members that own all partitions",
    call: (stranger, i) => join(stranger, `owner-${i}`, ["*"]),
  },
];

/** @param calls number of calls of each kind */
export async function attack(stranger: Stranger, calls: number, isAlive: () => boolean): Promise<Tally> {
  await stranger.call(
    "/logstore.v1.AdminService/CreateTopic",
    encode("CreateTopicRequest", { topic: "many", partitions: PARTITIONS }),
  );
  const tally: Tally = {};
  for (const way of ways) tally[way.name] = await goOn(way, stranger, calls, isAlive);
  return tally;
}

async function goOn(
  { call }: Way,
  stranger: Stranger,
  calls: number,
  isAlive: () => boolean,
): Promise<Record<string, number>> {
  const ends: Record<string, number> = {};
  let i = 0;
  const run = async () => {
    while (i < calls && isAlive()) {
      const { detail, status } = await call(stranger, i++);
      const end = detail ?? (status === 0 ? "" : String(status));
      ends[end] = (ends[end] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, run));
  return ends;
}
