import { expect, test } from "vitest";
import { groupsOn } from "../../../test/file-groups.js";
import { encodeCheckedJson } from "../../files/checked-json.js";
import { SimulatedDisk } from "../../testing/index.js";
import { apply, type GroupState } from "../state/group-state.js";
import { encodeGroup } from "./group-json.js";
import { readSnapshot, writeSnapshot } from "./snapshot-file.js";

/** Written to `data/groups`. */
async function written(content: Uint8Array): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  await disk.makeDirectory("data");
  await disk.makeDirectory("data/groups");
  const file = await disk.createFile("data/groups/snapshot");
  await file.write([content], 0);
  await file.close();
  return disk;
}

test("a large group is split into short documents, and restored unchanged", async () => {
  const disk = await written(new Uint8Array());
  const groups = new Map<string, GroupState>();
  const metadata = "x".repeat(4096);
  const commits = Array.from({ length: 5000 }, (_, partition) => ({ topic: "t", partition, offset: 1, metadata }));
  const members = Array.from({ length: 20 }, (_, i) => ({
    ...{ memberId: `m${i}`, epoch: 1, instanceId: undefined, clientId: "", topics: ["t"] },
    ...{ sessionTimeoutMs: 1000, revokeTimeoutMs: 1000 },
    holdings: new Map([["t", new Map(Array.from({ length: 500 }, (_, p) => [p, { since: 1, revokedAt: undefined }]))]]),
  }));
  apply(groups, { group: "g", at: 1, owner: "ada", epoch: 3, assignor: "range", members, commits });
  const documents = [...encodeGroup(groups.get("g")!, () => 7)];
  expect(Math.max(...documents.map((each) => JSON.stringify(each).length))).toBeLessThan(300_000);
  await writeSnapshot(groupsOn(disk).journal, 5, documents, async () => {});
  expect(await readSnapshot(groupsOn(disk).journal)).toEqual({ from: 5, upTo: 7, groups });
});

test("version 1, with one document per group, can be read", async () => {
  const group = { group: "g", upTo: 3, epoch: 2, assignor: "sticky", emptySince: 9, members: [] };
  const commits = { t: Array.from({ length: 40_000 }, (_, partition) => [partition, 5, "x", 8]) };
  const documents = [{ formatVersion: 1, from: 2 }, { ...group, commits }, { groups: 1 }];
  const found = await readSnapshot(groupsOn(await written(Buffer.concat(documents.map(encodeCheckedJson)))).journal);
  if (found === undefined || found === "damaged") throw new Error("it is not read");
  expect(found).toMatchObject({ from: 2, upTo: 3 });
  expect(found.groups.get("g")?.commits.get("t")?.size).toBe(40_000);
  expect(found.groups.get("g")?.usage).toMatchObject({ groups: 1, commitBytes: 40_000 * 129 });
});

test.each([
  ["more of no group", [{ formatVersion: 2, from: 0 }, { upTo: 1, commits: {} }, { groups: 1 }]],
  ["another number of documents", [{ formatVersion: 2, from: 0 }, { groups: 1 }]],
  ["something behind its end", [{ formatVersion: 2, from: 0 }, { groups: 0 }, { groups: 0 }]],
  ["no end", [{ formatVersion: 2, from: 0 }]],
  ["nothing", []],
])("a snapshot with %s is damaged", async (_, documents: object[]) => {
  const disk = await written(Buffer.concat(documents.map(encodeCheckedJson)));
  expect(await readSnapshot(groupsOn(disk).journal)).toBe("damaged");
});

test("a newer version is not reported as damage", async () => {
  const disk = await written(encodeCheckedJson({ formatVersion: 3, from: 0 }));
  await expect(readSnapshot(groupsOn(disk).journal)).rejects.toMatchObject({
    code: "UNSUPPORTED_FORMAT_VERSION",
    actual: 3,
  });
});
