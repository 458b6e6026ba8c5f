/** Compares the examples of the pages in docs/format with what the engine writes. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { groupsOn } from "../../test/file-groups.js";
import { HookedStorage } from "../../test/hooked-storage.js";
import { sealed } from "../../test/records.js";
import { encodeChange } from "../group/journal/change-json.js";
import { GroupLog } from "../group/journal/group-log.js";
import type { GroupChange } from "../group/state/group-state.js";
import { Broker } from "../index.js";
import { readWholeFile } from "../storage/atomic-file.js";

const TOPIC = "data/topics/0011223344556677";
const TOPIC_ID = "00112233-4455-4677-8899-aabbccddeeff";

/**
 * Storage with fixed times and names, for the store of the examples: two batches of one producer.
 */
class FixedStorage extends HookedStorage {
  override time = 1_700_000_000_000;

  override randomHex(length: number): string {
    return "00112233445566778899aabbccddeeff".slice(0, 2 * length);
  }
}

const storage = new FixedStorage();

beforeAll(async () => {
  const broker = await Broker.open("data", { storage });
  await broker.createTopic({ topic: "web-logs", partitions: 1 });
  for (const [i, value] of ["hello", "world"].entries()) {
    const batches = sealed([value], { producerId: 7, producerEpoch: 0, baseSequence: i });
    await broker.produce({ topic: "web-logs", partition: 0, batches });
  }
  expect(await broker.allocateProducerId()).toBe(1);
  await broker.createSnapshot("web-logs", "monday");
  await broker.close();
});

function examples(page: string, language: string): string[] {
  const content = readFileSync(new URL(`../../../../docs/format/${page}.md`, import.meta.url), "utf8");
  return [...content.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(([, code]) => code!);
}

async function file(name: string): Promise<string> {
  return Buffer.from((await readWholeFile(storage, name))!).toString("latin1");
}

function parseHex(example: string): string {
  return Buffer.from(example.replace(/#.*/g, "").replace(/\s/g, ""), "hex").toString("latin1");
}

/** The group of the example. */
const GROUP_CHANGES: readonly GroupChange[] = [
  {
    group: "billing",
    at: 1_700_000_000_000,
    epoch: 1,
    assignor: "sticky",
    members: [
      {
        memberId: "0011223344556677",
        epoch: 1,
        instanceId: undefined,
        clientId: "host-1",
        topics: ["web-logs"],
        sessionTimeoutMs: 45_000,
        revokeTimeoutMs: 60_000,
        holdings: new Map([["web-logs", new Map([0, 1].map((each) => [each, { since: 1, revokedAt: undefined }]))]]),
      },
    ],
  },
  {
    group: "billing",
    at: 1_700_000_000_500,
    commits: [
      { topic: "web-logs", topicId: TOPIC_ID, partition: 0, offset: 42, metadata: "" },
      { topic: "web-logs", topicId: TOPIC_ID, partition: 1, offset: 7, metadata: "half-way" },
    ],
  },
];

describe("the pages in docs/format", () => {
  test("groups.md", async () => {
    const log = await GroupLog.open(groupsOn(storage), { snapshotBytes: 0 });
    for (const change of GROUP_CHANGES) await log.append([change]);
    await log.close();
    const changes = GROUP_CHANGES.map((change) => `${encodeChange(change)}\n`).join("");
    expect(examples("groups", "json")).toEqual([changes, await file("data/groups/snapshot")]);
  });

  test("directory.md: store.json, broker.json, topic.json, producer-ids", async () => {
    const names = [`${TOPIC}/store.json`, "data/broker.json", `${TOPIC}/topic.json`, "data/producer-ids"];
    expect(examples("directory", "json")).toEqual(await Promise.all(names.map(file)));
  });

  test("segment.md", async () => {
    expect(examples("segment", "hex").map(parseHex)).toEqual([await file(`${TOPIC}/0/00000000000000000000.log`)]);
  });

  test("index.md", async () => {
    expect(examples("index", "hex").map(parseHex)).toEqual([await file(`${TOPIC}/0/00000000000000000000.index`)]);
  });

  test("watermarks.md", async () => {
    expect(examples("watermarks", "hex").map(parseHex)).toEqual([await file(`${TOPIC}/watermarks`)]);
  });

  test("snapshot.md", async () => {
    expect(examples("snapshot", "json")).toEqual([await file("data/snapshots/web-logs/monday/snapshot.json")]);
  });

  test("checkpoint.md", async () => {
    expect(examples("checkpoint", "json")).toEqual([await file(`${TOPIC}/0/checkpoint`)]);
  });
});
