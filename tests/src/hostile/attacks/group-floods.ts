/** Many principals that each try to fill the limits of all groups together. */
import { connect } from "@logstore/client";
import type { Attack, Target } from "../attack.ts";
import { bearer, claims, type Guard } from "../guard.ts";
import { type Answer, encode, Stranger } from "../stranger.ts";
import { tally } from "../verdict.ts";

const PRINCIPALS = 6;
const TOPIC = "hoard";
const PARTITIONS = 50;
const CALL = "/logstore.v1.ConsumerGroupService/";

/** Low limits, so that they are reached within a minute. */
export const groupLimits = {
  maxGroups: 400,
  maxMembers: 400,
  maxSubscriptions: 20_000,
  maxCommitBytes: 4_000_000,
  perPrincipal: { maxGroups: 100, maxMembers: 100, maxSubscriptions: 5_000, maxCommitBytes: 1_000_000 },
};

/**
 * The work of one principal: returns the responses, and a function that frees what was accepted.
 */
type Work = (hoarder: Hoarder) => Promise<{ readonly answers: Answer[]; forget(): Promise<unknown> }>;

interface Hoarder {
  readonly principal: number;
  readonly stranger: Stranger;
  readonly metadata: ReturnType<typeof bearer>;
}

/**
 * All principals do their work at once. What is not accepted must be refused because of the limit.
 */
function flood(name: string, mostTaken: number, work: Work): Attack {
  return {
    name,
    async run({ address, guard, onEnd }: Target) {
      await makeTopic(address, guard!);
      const works = await Promise.all(
        Array.from({ length: PRINCIPALS }, async (_, principal) => {
          const stranger = new Stranger(address, guard!.channel());
          onEnd(() => stranger.close());
          const exp = Math.floor(Date.now() / 1_000) + 600;
          const metadata = bearer(await guard!.jwt({ ...claims, sub: `hoarder-${principal}`, exp }));
          return work({ principal, stranger, metadata });
        }),
      );
      const all = works.flatMap(({ answers }) => answers);
      const other = all.find(({ status, detail }) => status !== 0 && detail !== "GROUP_LIMIT_EXCEEDED");
      if (other) throw new Error(JSON.stringify(other));
      const taken = all.filter(({ status }) => status === 0).length;
      if (taken === 0 || taken === all.length || taken > mostTaken) {
        throw new Error(`${taken} of ${all.length} were taken, and at most ${mostTaken} may be`);
      }
      await Promise.all(works.map(({ forget }) => forget()));
      return tally(all.map(({ status, detail }) => (status === 0 ? "taken" : detail!)));
    },
  };
}

async function makeTopic(address: string, guard: Guard): Promise<void> {
  await using owner = connect(address, guard.shown("owner"));
  await owner.ensureTopic(TOPIC, { partitions: PARTITIONS });
}

/** Commits that many entries with that much metadata to one group after another. */
async function commitTo(count: number, entries: number, bytes: number, { principal, stranger, metadata }: Hoarder) {
  const groups = Array.from({ length: count }, (_, i) => `hoard-${principal}-${i}`);
  const offsets = Array.from({ length: entries }, (_, partition) => {
    return { topic: TOPIC, partition, offset: 0, metadata: "x".repeat(bytes) };
  });
  const answers: Answer[] = [];
  for (const group of groups) {
    const request = encode("CommitOffsetsRequest", { group, offsets });
    answers.push(await stranger.call(`${CALL}CommitOffsets`, request, metadata));
  }
  const forget = () =>
    Promise.all(
      groups.map((group) => stranger.call(`${CALL}DeleteGroup`, encode("DeleteGroupRequest", { group }), metadata)),
    );
  return { answers, forget };
}

/** Joins that stay open until they are forgotten. */
async function joinTo(groups: readonly string[], topics: readonly string[], { stranger, metadata }: Hoarder) {
  const request = (group: string) => encode("JoinGroupRequest", { join: { group, topics, sessionTimeoutMs: 600_000 } });
  const members = groups.map((group) => {
    const joined = Promise.withResolvers<Answer>();
    const taken = () => joined.resolve({ status: 0, message: "", detail: undefined });
    const stream = stranger.duplex(`${CALL}JoinGroup`, taken, metadata);
    stream.ended.then(joined.resolve);
    stream.write(request(group));
    return { stream, joined: joined.promise };
  });
  const answers = await Promise.all(members.map(({ joined }) => joined));
  const forget = () =>
    Promise.all(
      members.map(({ stream }, i) => {
        if (answers[i]!.status === 0) stream.write(encode("JoinGroupRequest", { leave: {} }));
        return stream.ended;
      }),
    );
  return { answers, forget };
}

const names = (count: number, of: (i: number) => string) => Array.from({ length: count }, (_, i) => of(i));

export const groupFloods: readonly Attack[] = [
  flood("150 groups of each of 6 principals", groupLimits.maxGroups, (hoarder) => commitTo(150, 1, 0, hoarder)),
  flood(
    "commits of 200 kB, 30 of each of 6 principals",
    Math.floor(groupLimits.maxCommitBytes / (PARTITIONS * 4_128)),
    (hoarder) => commitTo(30, PARTITIONS, 4_000, hoarder),
  ),
  flood(
    "200 subscriptions a member, 40 members of each of 6 principals",
    groupLimits.maxSubscriptions / 200,
    (hoarder) =>
      joinTo(
        names(40, (i) => `hoard-${hoarder.principal}-${i}`),
        names(200, (i) => `hoard-${i}-${"x".repeat(200)}*`),
        hoarder,
      ),
  ),
  flood("130 members in each of 6 groups", groupLimits.maxMembers, (hoarder) =>
    joinTo(
      names(130, () => `hoard-members-${hoarder.principal}`),
      [TOPIC],
      hoarder,
    ),
  ),
];
