/** What each outcome leaves of one file and its name, in minimal settings. */
import { expect, test } from "vitest";
import { type PowerCutOutcome, powerCutOutcomes, SimulatedDisk } from "./index.js";

const SECTOR = 512;
const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);

/** A disk with a durable file `d/f` of that many bytes, all 1, open for writing. */
async function diskWithFile(length: number) {
  const disk = new SimulatedDisk();
  await disk.makeDirectory("d");
  const file = await disk.createFile("d/f");
  await file.write([new Uint8Array(length).fill(1)], 0);
  await file.sync();
  await disk.syncDirectory("d");
  return { disk, file };
}

/** The contents of a file after the same power cut with many seeds. */
function found(disk: SimulatedDisk, outcome: PowerCutOutcome, path = "d/f"): Uint8Array[] {
  return SEEDS.map((seed) => disk.powerCut(outcome, seed).content(path));
}

function distinct(contents: readonly Uint8Array[]): Set<string> {
  return new Set(contents.map((each) => each.join()));
}

test.each(powerCutOutcomes)("%s never harms what was synced", async (outcome) => {
  const { disk } = await diskWithFile(2000);
  for (const content of found(disk, outcome)) expect(content).toEqual(new Uint8Array(2000).fill(1));
});

test.each(powerCutOutcomes)("%s is repeatable with the same seed", async (outcome) => {
  const { disk, file } = await diskWithFile(2000);
  for (let i = 0; i < 5; i++) await file.write([new Uint8Array(900).fill(i + 2)], i * 700);
  expect(found(disk, outcome)).toEqual(found(disk, outcome));
});

test.each(powerCutOutcomes)("%s never harms a byte that no write changed", async (outcome) => {
  const { disk, file } = await diskWithFile(2000);
  const written = new Uint8Array(1500).fill(1).fill(2, 700, 800);
  await file.write([written], 100);
  for (const content of found(disk, outcome)) {
    expect(content.length).toBe(2000);
    expect(content.subarray(0, 800)).toEqual(new Uint8Array(800).fill(1));
    expect(content.subarray(900)).toEqual(new Uint8Array(1100).fill(1));
  }
});

test("drop-all: the file is as of its last sync", async () => {
  const { disk, file } = await diskWithFile(1000);
  await file.write([new Uint8Array(3000).fill(2)], 500);
  await file.truncate(200);
  await file.write([Uint8Array.of(7)], 400);
  expect(disk.content("d/f").length).toBe(401);
  expect(distinct(found(disk, "drop-all"))).toEqual(new Set([new Uint8Array(1000).fill(1).join()]));
});

test("keep-some: each write survives or not, independently of the others", async () => {
  const { disk, file } = await diskWithFile(3);
  for (const [i, value] of [2, 3, 4].entries()) await file.write([Uint8Array.of(value)], i);
  expect([...distinct(found(disk, "keep-some"))].sort()).toEqual(
    ["1,1,1", "1,1,4", "1,3,1", "1,3,4", "2,1,1", "2,1,4", "2,3,1", "2,3,4"].sort(),
  );
});

test("reorder: a later write survives without an earlier one", async () => {
  const { disk, file } = await diskWithFile(3);
  for (const [i, value] of [2, 3, 4].entries()) await file.write([Uint8Array.of(value)], i);
  expect([...distinct(found(disk, "reorder"))].sort()).toEqual(["1,1,4", "1,3,1", "1,3,4", "2,1,4"]);
});

test("reorder: the hole of a lost earlier write is zero", async () => {
  const { disk, file } = await diskWithFile(1);
  await file.write([Uint8Array.of(2)], 1);
  await file.write([Uint8Array.of(3)], 2);
  expect(distinct(found(disk, "reorder"))).toEqual(new Set(["1,0,3"]));
});

test("tear: some sectors of a write survive and some do not, and every sector is whole", async () => {
  const { disk, file } = await diskWithFile(4 * SECTOR);
  await file.write([new Uint8Array(3 * SECTOR).fill(2)], 100);
  const kept = new Set<string>();
  for (const content of found(disk, "tear")) {
    const sectors = [100, SECTOR, 2 * SECTOR, 3 * SECTOR].map((from, i) => {
      const part = content.subarray(from, i === 3 ? 3 * SECTOR + 100 : (i + 1) * SECTOR);
      expect(new Set(part).size).toBe(1);
      return part[0];
    });
    expect(sectors).toContain(1);
    kept.add(sectors.join());
  }
  for (const each of ["2,1,1,1", "2,2,2,1", "1,1,1,2", "2,1,2,1"]) expect(kept).toContain(each);
});

test("tear: a file that grew ends within what was written to it, or at its end", async () => {
  const { disk, file } = await diskWithFile(100);
  await file.write([new Uint8Array(2000).fill(2)], 100);
  const lengths = new Set(found(disk, "tear").map(({ length }) => length));
  for (const length of [SECTOR, 2 * SECTOR, 2100]) expect(lengths).toContain(length);
});

test("tear: a write within one sector survives or not as a whole", async () => {
  const { disk, file } = await diskWithFile(100);
  await file.write([Uint8Array.of(2, 2, 2)], 100);
  expect(new Set(found(disk, "tear").map(({ length }) => length))).toEqual(new Set([100, 103]));
});

test("zero-tail: the new length, with zeros in place of some or all of the new bytes", async () => {
  const { disk, file } = await diskWithFile(1000);
  await file.write([new Uint8Array(2000).fill(2)], 1000);
  const zeros = found(disk, "zero-tail").map((content) => {
    expect(content.length).toBe(3000);
    expect(content.subarray(0, 1000)).toEqual(new Uint8Array(1000).fill(1));
    const first = content.indexOf(0);
    expect(content.subarray(1000, first)).toEqual(new Uint8Array(first - 1000).fill(2));
    expect(content.subarray(first)).toEqual(new Uint8Array(3000 - first));
    return first;
  });
  expect(new Set(zeros)).toEqual(new Set([1000, 1024, 1536, 2048, 2560]));
});

test("garbage: one sector of what was written has arbitrary contents", async () => {
  const { disk, file } = await diskWithFile(1000);
  const written = new Uint8Array(2000).fill(2);
  await file.write([written], 1000);
  for (const content of found(disk, "garbage")) {
    expect(content.length).toBe(3000);
    const harmed = [...content.keys()].filter((at) => content[at] !== (at < 1000 ? 1 : 2));
    expect(harmed.length).toBeGreaterThan(0);
    expect(new Set(harmed.map((at) => Math.floor(at / SECTOR))).size).toBe(1);
  }
});

test("lost-names: the bytes survive, under the names that were synced", async () => {
  const { disk, file } = await diskWithFile(1);
  await file.write([Uint8Array.of(2)], 0);
  const added = await disk.createFile("d/g");
  await added.write([Uint8Array.of(3)], 0);
  await added.sync();
  await disk.rename("d/f", "d/h");
  expect(disk.paths()).toEqual(["d/g", "d/h"]);
  const afterwards = disk.powerCut("lost-names");
  expect(afterwards.paths()).toEqual(["d/f"]);
  expect(afterwards.content("d/f")).toEqual(Uint8Array.of(2));
});

test("keep-some: a name survives or not, a rename as a whole", async () => {
  const { disk } = await diskWithFile(1);
  await disk.createFile("d/g");
  await disk.rename("d/g", "d/f");
  const seen = new Set(SEEDS.map((seed) => disk.powerCut("keep-some", seed)).map((after) => describe(after)));
  expect(seen).toEqual(new Set(["d/f:1", "d/f:1 d/g:0", "d/f:0"]));
});

function describe(disk: SimulatedDisk): string {
  return disk
    .paths()
    .map((path) => `${path}:${disk.content(path).length}`)
    .join(" ");
}
