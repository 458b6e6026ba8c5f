/** Groups with many members, partitions, patterns and commits. */
import type { Stranger } from "../../hostile/stranger.ts";
import { Member } from "../member.ts";
import { call, createTopic, type LargeRequest, type Loop, some, times } from "../request.ts";

const PARTITIONS = 10_000;

const group = (stranger: Stranger, method: string, fields: object) =>
  call(stranger, `ConsumerGroupService/${method}`, `${method}Request`, { group: "g", ...fields });

const range = <T>(count: number, of: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => of(i));

const patternsOf = (i: number) => range(999, (j) => `*${i}*${j}*x*y*`).concat("*");

export function patternRequests(): LargeRequest[] {
  let members: Member[] = [];
  return [
    {
      name: "JoinGroup: 20 members with 1,000 patterns each, 200 topics",
      async prepare(stranger) {
        const names = range(200, (i) => `topic-${i}-${"x".repeat(30)}`);
        await some(20, names, (topic) => createTopic(stranger, topic, 1));
      },
      async run(stranger) {
        members = range(20, (i) => new Member(stranger, { group: "g", topics: patternsOf(i) }));
        await Promise.all(members.map((member) => member.assigned()));
      },
    },
    {
      name: "JoinGroup: one member changes to 1,000 other patterns",
      async run(stranger) {
        members[0]!.say({ subscribe: { topics: patternsOf(99) } });
        await group(stranger, "FetchOffsets", {});
        await new Promise((resolve) => setTimeout(resolve, 300));
        await group(stranger, "DescribeGroup", {});
      },
    },
  ];
}

export function largeGroupRequests(): LargeRequest[] {
  /** Three requests with the largest number of partitions. */
  const pieces = range(3, (i) => range(PARTITIONS, (partition) => ({ topic: `many-${i}`, partition })));
  const eachPiece = (work: (partitions: readonly { topic: string; partition: number }[]) => Promise<unknown>) =>
    Promise.all(pieces.map(work));
  let first: Member;
  let others: Member[] = [];
  const asFirst = () => ({ memberId: first.memberId, memberEpoch: first.epoch });
  return [
    {
      name: "JoinGroup: one member gets 30,000 partitions",
      async prepare(stranger) {
        for (let i = 0; i < 3; i++) await createTopic(stranger, `many-${i}`, PARTITIONS);
      },
      async run(stranger) {
        first = new Member(stranger, { group: "g", topics: ["many-*"] });
        await first.assigned();
      },
    },
    {
      name: "CommitOffsets of 30,000 partitions",
      run: (stranger) =>
        eachPiece((partitions) => {
          const offsets = partitions.map((each) => ({ ...each, offset: 0, metadata: "m" }));
          return group(stranger, "CommitOffsets", { ...asFirst(), offsets });
        }),
    },
    {
      name: "CommitOffsets of 30,000 partitions that do not exist",
      run: (stranger) =>
        eachPiece((partitions) => {
          const offsets = partitions.map(({ partition }) => ({ topic: "none", partition, offset: 0 }));
          return group(stranger, "CommitOffsets", { ...asFirst(), offsets });
        }),
    },
    {
      name: "FetchOffsets of 30,000 partitions, 5 at once",
      run: (stranger) => times(5, () => group(stranger, "FetchOffsets", {})),
    },
    {
      name: "FetchOffsets that names 30,000 partitions",
      run: (stranger) => eachPiece((partitions) => group(stranger, "FetchOffsets", { partitions })),
    },
    {
      name: "DescribeGroup of 30,000 partitions, 5 at once",
      run: (stranger) => times(5, () => group(stranger, "DescribeGroup", {})),
    },
    {
      name: "ResetOffsets of 30,000 partitions",
      run: (stranger) => group(stranger, "ResetOffsets", { position: { edge: 1 } }),
    },
    {
      name: "ResetOffsets that names 30,000 partitions",
      run: (stranger) =>
        eachPiece((partitions) => group(stranger, "ResetOffsets", { partitions, position: { edge: 1 } })),
    },
    {
      name: "JoinGroup: 299 more members",
      async run(stranger) {
        others = range(299, () => new Member(stranger, { group: "g", topics: ["many-*"] }));
        const hasShared = first.assigned(({ partitions }) => partitions.length < PARTITIONS);
        await Promise.all([hasShared, ...others.map((member) => member.assigned())]);
      },
    },
    {
      name: "JoinGroup: 30,000 partitions revoked in three messages",
      async run() {
        let isShared = false;
        const shared = Promise.all(others.map((member) => member.assigned())).then(() => {
          isShared = true;
        });
        // On a slow machine some members join after the first revocation was asked for: another
        // follows.
        while (!isShared) {
          for (const partitions of pieces) first.say({ revoked: { memberEpoch: first.epoch, partitions } });
          await Promise.race([shared, first.assigned()]);
        }
      },
    },
    {
      name: "DescribeGroup of 300 members, 5 at once",
      run: (stranger) => times(5, () => group(stranger, "DescribeGroup", {})),
    },
    {
      name: "JoinGroup: 300 members leave",
      run: () => Promise.all([first, ...others].map((member) => member.leave())),
    },
    {
      name: "DeleteGroup of 30,000 commits",
      run: (stranger) => group(stranger, "DeleteGroup", {}),
    },
  ];
}

export function manyMembersRequests(): LargeRequest[] {
  const groups = range(2_000, (i) => `group-${i}`);
  return [
    {
      name: "JoinGroup: 2,000 groups of one member, 20 topics of 4 partitions",
      async prepare(stranger) {
        const names = range(20, (i) => `topic-${i}`);
        await some(20, names, (topic) => createTopic(stranger, topic, 4));
      },
      async run(_stranger, loop) {
        const connections = range(3, () => loop.more());
        const members = groups.map((each, i) => new Member(connections[i % 3]!, { group: each, topics: ["topic-*"] }));
        await Promise.all(members.map((member) => member.assigned()));
      },
    },
    {
      name: "ListGroups of 2,000 groups, 20 at once",
      run: (stranger) => times(20, () => group(stranger, "ListGroups", {})),
    },
    {
      name: "a topic is created and assigned in 2,000 groups",
      run: (stranger) => createTopic(stranger, "topic-new", 4),
    },
    {
      name: "a topic of 2,000 groups is deleted",
      run: (stranger) => call(stranger, "AdminService/DeleteTopic", "DeleteTopicRequest", { topic: "topic-new" }),
    },
    {
      name: "JoinGroup: 500 members of one group connect",
      async run(_stranger, loop) {
        const members = range(500, () => new Member(loop.more(), { group: "g", topics: ["topic-*"] }));
        await Promise.all(members.map((member) => member.assigned()));
      },
    },
  ];
}

/** Groups that rejoin after a restart. */
export function restartRequests(): LargeRequest[] {
  const groups = range(2_000, (i) => `group-${i}`);
  let members: Member[] = [];
  const joinAll = (loop: Loop, joins: readonly object[]) => {
    const connections = range(3, () => loop.more());
    members = joins.map((join, i) => new Member(connections[i % 3]!, { topics: ["topic-*"], ...join }));
    return Promise.all(members.map((member) => member.assigned()));
  };
  return [
    {
      name: "2,000 groups of one member on a disk",
      async prepare(stranger) {
        const names = range(20, (i) => `topic-${i}`);
        await some(20, names, (topic) => createTopic(stranger, topic, 4));
      },
      run: (_stranger, loop) =>
        joinAll(
          loop,
          groups.map((each) => ({ group: each })),
        ),
    },
    {
      name: "a restart with 2,000 groups, whose members rejoin at once",
      async run(_stranger, loop) {
        await loop.restart();
        await joinAll(
          loop,
          members.map(({ memberId, epoch }, i) => ({ group: groups[i], memberId, memberEpoch: epoch })),
        );
      },
    },
  ];
}
