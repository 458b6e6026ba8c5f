/**
 * A data directory on a small file system (tmpfs, mounted by the test: root on Linux) that has no
 * byte or no inode left: the server stops or is killed, starts again, and docs/operations.md, "A
 * full data disk", resolves the situation.
 */
import { spawnSync } from "node:child_process";
import { closeSync, openSync, rmSync, statfsSync, writeFileSync, writeSync } from "node:fs";
import { connect, text } from "@logstore/client";
import { describe, expect, onTestFinished, test } from "vitest";
import { skipped } from "../../packages/core/test/skipped.ts";
import { removeDirectory, temporaryDirectory } from "./homes.ts";
import { ServerProcess } from "./server-process.ts";

const SEGMENT_BYTES = 64 * 1024;
const ARGS = ["--segment-bytes", String(SEGMENT_BYTES)];
const VALUE = "v".repeat(1000);

async function smallDisk(limits: string): Promise<string> {
  const directory = await temporaryDirectory();
  onTestFinished(() => removeDirectory(directory));
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", limits, "tmpfs", directory]);
  if (status !== 0) throw new Error(`a tmpfs cannot be mounted: ${stderr}`);
  onTestFinished(() => void spawnSync("umount", ["-l", directory]));
  return directory;
}

const canMount = spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;
if (!canMount) skipped("a small file system that is full (a tmpfs cannot be mounted here)");

/** Fills the remaining space. */
function fillBytes(directory: string): void {
  const file = openSync(`${directory}/filler`, "a");
  for (let size = 64 * 1024; size >= 1; size = Math.floor(size / 2)) {
    try {
      for (;;) if (writeSync(file, Buffer.alloc(size)) === 0) break;
    } catch (error) {
      expect(error).toMatchObject({ code: "ENOSPC" });
    }
  }
  closeSync(file);
  expect(statfsSync(directory).bfree).toBe(0);
}

let files = 0;
function fillInodes(directory: string): void {
  try {
    for (; ; files++) writeFileSync(`${directory}/filler.${files}`, "", { flag: "wx" });
  } catch (error) {
    expect(error).toMatchObject({ code: "ENOSPC" });
  }
  expect(statfsSync(directory).ffree).toBe(0);
}

async function started(disk: string, said: string[] = []): Promise<ServerProcess> {
  const server = await ServerProcess.start(`${disk}/data`, { args: ARGS, onErrorLine: (line) => void said.push(line) });
  onTestFinished(() => void server.kill());
  return server;
}

/**
 * Fills the disk while a server serves a topic, a producer and a group. Resolves to the number of
 * records acknowledged.
 */
async function serveUntilFull(address: string, fill: () => void): Promise<number> {
  await using client = connect(address);
  await client.createTopic("t", { partitions: 1 });
  await client.createTopic("other", { partitions: 1 });
  const producer = client.producer("t", { batchBytes: 16 * 1024 });
  await Promise.all(Array.from({ length: 500 }, () => producer.send({ partition: 0, value: VALUE })));
  const consumer = client.consumer({ group: "g", topics: ["t"], from: "earliest" });
  for await (const { offset } of consumer) {
    if (offset < 99) continue;
    await consumer.commit("t", 0, 100);
    break;
  }
  await consumer.close();
  await producer.close();
  fill();
  for (let acknowledged = 500; ; acknowledged++) {
    try {
      await client.append("t", 0, [{ value: VALUE }]);
    } catch (error) {
      expect(error).toMatchObject({ code: "STORAGE_FAILED", topic: "t", partition: 0 });
      expect((error as Error).message).toMatch(/^(writing to|creating) topics\/\S+ failed \(ENOSPC.*make room/);
      return acknowledged;
    }
  }
}

async function countRecords(address: string): Promise<number> {
  await using client = connect(address);
  let count = 0;
  for await (const { offset, value } of client.reader({
    assign: { t: [0] },
    from: "earliest",
    until: "latest",
    value: text(),
  })) {
    expect([offset, value]).toEqual([count++, VALUE]);
  }
  return count;
}

async function makeRoom(address: string, beforeOffset: number): Promise<void> {
  await using client = connect(address);
  expect(await client.deleteRecords("t", 0, beforeOffset)).toBeGreaterThan(0);
}

async function everythingWorks(address: string): Promise<void> {
  await using client = connect(address);
  expect((await client.describeGroup("g")).partitions).toMatchObject([
    { topic: "t", partition: 0, committedOffset: 100 },
  ]);
  await client.append("t", 0, [{ value: VALUE }]);
  await client.createTopic("afterwards", { partitions: 1 });
  await client.producer("other").send({ value: VALUE });
  const consumer = client.consumer({ group: "g", topics: ["t"] });
  for await (const { offset } of consumer) {
    await consumer.commit("t", 0, offset + 1);
    break;
  }
}

describe.skipIf(!canMount)("a server on a full disk", () => {
  test.each(["stop", "kill"] as const)(
    "starts again after a %s with 0 bytes free; deleting old records makes room",
    async (end) => {
      const disk = await smallDisk("size=4m");
      const first = await started(disk);
      const acknowledged = await serveUntilFull(first.address, () => fillBytes(disk));
      await first[end]();
      fillBytes(disk); // what the exit of the process has freed
      const second = await started(disk);
      expect(await countRecords(second.address)).toBeGreaterThanOrEqual(acknowledged);
      await makeRoom(second.address, acknowledged - 10);
      await second.stop();
      const third = await started(disk);
      await everythingWorks(third.address);
    },
  );

  test("starts again with no free inodes except those of its lock, and reports what it needs", async () => {
    const disk = await smallDisk("size=64m,nr_inodes=100");
    const first = await started(disk);
    const acknowledged = await serveUntilFull(first.address, () => fillInodes(disk));
    await first.kill();
    fillInodes(disk);
    const said: string[] = [];
    await expect(started(disk, said)).rejects.toThrow();
    expect(said.join("\n")).toMatch(/STORAGE_FAILED: \S+ cannot be (locked|opened).*inode/);
    for (const i of [0, 1]) rmSync(`${disk}/filler.${i}`); // tmpfs counts each name as an inode
    const second = await started(disk);
    expect(await countRecords(second.address)).toBeGreaterThanOrEqual(acknowledged);
    await makeRoom(second.address, acknowledged - 10);
    await second.stop();
    const third = await started(disk);
    await everythingWorks(third.address);
  });
});
