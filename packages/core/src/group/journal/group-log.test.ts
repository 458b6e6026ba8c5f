import { describe, expect, test } from "vitest";
import { quickly } from "../../../test/crash-sweep/quickly.js";
import { groupsOn } from "../../../test/file-groups.js";
import { firstSeed } from "../../../test/random.js";
import { powerCutOutcomes, Random, SimulatedDisk } from "../../testing/index.js";
import type { GroupChange, Member } from "../state/group-state.js";
import { GroupLog } from "./group-log.js";

const options = { snapshotBytes: 1500 };

function member(memberId: string, partition: number): Member {
  return {
    memberId,
    epoch: 1,
    instanceId: "one",
    clientId: "here",
    topics: ["t"],
    sessionTimeoutMs: 1000,
    revokeTimeoutMs: 2000,
    holdings: new Map([["t", new Map([[partition, { since: 1, revokedAt: undefined }]])]]),
  };
}

function commit(group: string, offset: number, metadata = ""): GroupChange {
  return { group, at: 5, commits: [{ topic: "t", partition: 0, offset, metadata }] };
}

async function open(disk: SimulatedDisk): Promise<GroupLog> {
  await disk.makeDirectory("data");
  return GroupLog.open(groupsOn(disk, { segmentBytes: 700 }), options);
}

describe("state is restored", () => {
  test("members, their partitions, commits, epochs; without a snapshot", async () => {
    const disk = new SimulatedDisk();
    const log = await open(disk);
    await log.append([
      { group: "g", at: 1, epoch: 3, assignor: "range", members: [member("a", 0), member("b", 1)] },
      commit("g", 7, "seven"),
      { group: "g", at: 6, removed: ["a"] },
      commit("gone", 1),
      { group: "gone", at: 6, isDeleted: true },
    ]);
    const { groups } = await open(disk.powerCut("drop-all"));
    expect(groups).toEqual(log.groups);
    expect([...groups.keys()]).toEqual(["g"]);
    const [g] = groups.values();
    expect(g).toMatchObject({
      epoch: 3,
      assignor: "range",
      emptySince: undefined,
      members: new Map([["b", member("b", 1)]]),
    });
    expect(g!.commits.get("t")!.get(0)).toEqual({ offset: 7, metadata: "seven", committedAt: 5 });
  });

  test("after a snapshot the beginning of the log is deleted, and nothing is lost", async () => {
    const disk = new SimulatedDisk();
    const log = await open(disk);
    for (let i = 0; i < 200; i++) await log.append([commit(`g${i % 7}`, i)]);
    await log.append([{ group: "g0", at: 9, epoch: 4, members: [member("a", 0)] }]);
    await log.close();
    expect(disk.paths().filter((path) => path.endsWith(".log")).length).toBeLessThan(5);
    expect(disk.paths()).toContain("data/groups/snapshot");
    expect((await open(disk.copy())).groups).toEqual(log.groups);
  });

  test("a snapshot that is written while the groups change", async () => {
    const disk = new SimulatedDisk();
    const log = await open(disk);
    const metadata = "x".repeat(4000);
    await log.append([commit("g000", 1)]);
    const later: Promise<void>[] = [];
    disk.onMutation = ({ kind, path }) => {
      if (kind !== "write" || !path.endsWith("snapshot.tmp") || later.length > 0) return;
      later.push(log.append([commit("g000", 2)])); // it is written already
      later.push(log.append([commit("g199", 2, metadata)])); // and this one is not
    };
    await log.append(Array.from({ length: 200 }, (_, i) => commit(`g${String(i).padStart(3, "0")}`, 1, metadata)));
    await log.close();
    await Promise.all(later);
    expect(later).toHaveLength(2);
    expect(disk.paths()).toContain("data/groups/snapshot");
    expect((await open(disk.copy())).groups).toEqual(log.groups);
  });

  test("a broker without groups has no directory for them", async () => {
    const disk = new SimulatedDisk();
    await (await open(disk)).close();
    expect(disk.paths()).toEqual([]);
  });
});

test(`whenever the power fails, what was acknowledged is there: CORE_SEED=${firstSeed}`, { timeout: 120_000 }, () =>
  quickly(async () => {
    const random = new Random(firstSeed);
    const disk = new SimulatedDisk({ seed: random.seed() });
    const acknowledged = new Map<string, number>();
    const asked = new Map<string, number>();
    const moments: {
      disk: SimulatedDisk;
      acknowledged: Map<string, number>;
      asked: Map<string, number>;
      joined: boolean;
    }[] = [];
    let joined = false;
    const log = await open(disk);
    disk.onMutation = () => {
      const [least, most] = [new Map(acknowledged), new Map(asked)];
      moments.push({ disk: disk.copy(), acknowledged: least, asked: most, joined });
    };
    for (let i = 1; i < 60; i++) {
      const group = `g${random.whole(0, 3)}`;
      asked.set(group, i);
      const done = log
        .append([commit(group, i, "x".repeat(random.whole(0, 60)))])
        .then(() => acknowledged.set(group, i));
      if (random.chance(0.6)) await done;
      if (i === 20)
        joined = await log.append([{ group: "m", at: 1, epoch: 1, members: [member("a", 0)] }]).then(() => true);
    }
    await log.close();
    expect(moments.length).toBeGreaterThan(100);
    for (const [i, moment] of moments.entries()) {
      for (const outcome of powerCutOutcomes) {
        const seed = random.seed();
        const found = await open(moment.disk.powerCut(outcome, seed));
        const at = `CORE_SEED=${firstSeed}: call ${i}, ${outcome}, ${seed}`;
        for (const [group, most] of moment.asked) {
          const offset = found.groups.get(group)?.commits.get("t")?.get(0)?.offset ?? 0;
          if (offset < (moment.acknowledged.get(group) ?? 0) || offset > most)
            expect.fail(`${at}: ${group} is at ${offset}`);
        }
        if (moment.joined && !found.groups.get("m")?.members.has("a")) expect.fail(`${at}: the member is lost`);
        await found.append([commit("after", 1)]); // and it goes on
        await found.close();
      }
    }
  }),
);

describe("damage is reported, and groups are unavailable", () => {
  async function used(): Promise<SimulatedDisk> {
    const disk = new SimulatedDisk();
    const log = await open(disk);
    for (let i = 0; i < 100; i++) await log.append([commit("g", i)]);
    await log.close();
    return disk.copy();
  }

  test("a snapshot that was modified, or is missing", async () => {
    const disk = await used();
    const content = disk.content("data/groups/snapshot");
    disk.flipBit("data/groups/snapshot", 300);
    await expect(open(disk)).rejects.toMatchObject({ code: "STORAGE_FAILED", file: "groups/snapshot" });
    const cut = disk.copy();
    cut.replaceContent("data/groups/snapshot", content.subarray(0, content.lastIndexOf(123))); // without its last document
    await expect(open(cut)).rejects.toMatchObject({ code: "STORAGE_FAILED", file: "groups/snapshot" });
    const bare = disk.copy();
    await bare.remove("data/groups/snapshot");
    await expect(open(bare)).rejects.toThrow(/groups\/snapshot is missing.*all groups begin anew/);
  });

  test("a log that ends before its snapshot", async () => {
    const disk = await used();
    for (const path of disk.paths()) if (path.startsWith("data/groups/0/")) await disk.remove(path);
    await expect(open(disk)).rejects.toThrow(/knows more than the log/);
  });

  test("a damaged log", async () => {
    const disk = await used();
    const path = disk.paths().findLast((each) => each.endsWith(".log"))!;
    disk.flipBit(path, 8 * 60);
    await expect(open(disk)).rejects.toMatchObject({
      code: "CORRUPT_PARTITION",
      file: expect.stringMatching(/^groups\/0\//),
    });
  });

  test("a directory without its store.json", async () => {
    const disk = await used();
    await disk.remove("data/groups/store.json");
    await expect(open(disk)).rejects.toMatchObject({ code: "STORAGE_FAILED", file: "groups/store.json" });
  });

  test("a newer format version", async () => {
    const disk = new SimulatedDisk();
    const log = await open(disk);
    await log.append([commit("g", 1)]);
    await log.close();
    const { LogStore } = await import("../../store/log-store.js");
    const store = await LogStore.open("data/groups", { storage: disk });
    await store.append(null, '{"v":2}');
    await store.close();
    await expect(open(disk.copy())).rejects.toMatchObject({ code: "UNSUPPORTED_FORMAT_VERSION", actual: 2 });
  });
});

test("more than the queue limit is refused", async () => {
  const disk = new SimulatedDisk();
  const log = await open(disk);
  const metadata = "x".repeat(4096);
  const commits = Array.from({ length: 1000 }, (_, partition) => ({ topic: "t", partition, offset: 1, metadata }));
  const all = Array.from({ length: 5 }, () => log.append([{ group: "g", at: 1, commits }]));
  expect(() => log.checkRoom()).toThrow(expect.objectContaining({ code: "BUFFER_FULL" }));
  await Promise.all(all);
  log.checkRoom();
});
