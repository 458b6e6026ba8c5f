/**
 * Damage is found, reported and removed from the log: valid records stay, damaged bytes are saved
 * to separate files, and no offset is assigned twice.
 */
import { readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { writeServerHalf } from "@logstore/codec";
import { expect, onTestFinished, test } from "vitest";
import { BATCH, DamagedStore, flipped, RECORDS, SEGMENT_BYTES, values, without } from "../../../test/damage.js";
import { HookedStorage } from "../../../test/hooked-storage.js";
import { caught, codeOf, collect, lines, sealed, text } from "../../../test/records.js";
import { crashCopy, everyFile } from "../../../test/temporary-directory.js";
import { LogStore, type LogStoreOptions, NodeStorage, type RepairAction, type VerifyFinding } from "../../index.js";

type Found = Partial<VerifyFinding>;

interface Case {
  readonly name: string;
  damage(store: DamagedStore): void;
  readonly found: readonly Found[];
  /** The lost offsets. */
  readonly lost: readonly number[];
  /** Whether the case applies only to a closed store: after a crash this is a torn tail. */
  readonly closedOnly?: boolean;
}

/**
 * A finding: the base offset of the segment, the position and length of the damage, and the offsets
 * at both ends.
 */
function at(segment: number, byte: number, length: number, offset: number, nextOffset: number): Found {
  const file = `0/${String(segment).padStart(20, "0")}.log`;
  return { kind: "damage", partition: 0, file, byte, length, offset, nextOffset };
}

const cases: Case[] = [
  {
    name: "a flipped bit in a value",
    damage: (store) => store.spoil(3, 1),
    found: [at(3, BATCH, BATCH, 4, 5)],
    lost: [4],
  },
  {
    name: "a flipped bit in a length",
    damage: (store) => store.spoil(3, 1, 4),
    found: [at(3, BATCH, BATCH, 4, 5)],
    lost: [4],
  },
  { name: "the first record", damage: (store) => store.spoil(0, 0), found: [at(0, 0, BATCH, 0, 1)], lost: [0] },
  {
    name: "the first of a segment, and its mark",
    damage: (store) => store.spoil(6, 0, 0),
    found: [at(6, 0, BATCH, 6, 7)],
    lost: [6],
  },
  {
    name: "the last of a segment",
    damage: (store) => store.spoil(3, 2),
    found: [at(3, 2 * BATCH, BATCH, 5, 6)],
    lost: [5],
  },
  {
    name: "the last but one of all",
    damage: (store) => store.spoil(9, 0),
    found: [at(9, 0, BATCH, 9, 10)],
    lost: [9],
  },
  {
    name: "the last of all",
    damage: (store) => store.spoil(9, 1),
    found: [at(9, BATCH, BATCH, 10, 11)],
    lost: [10],
    closedOnly: true,
  },
  {
    name: "the last two, whose headers say which they were",
    damage(store) {
      store.spoil(9, 0);
      store.spoil(9, 1);
    },
    found: [at(9, 0, 2 * BATCH, 9, 11)],
    lost: [9, 10],
  },
  {
    name: "two places in one segment, and one in the next",
    damage(store) {
      store.spoil(3, 0);
      store.spoil(3, 2);
      store.spoil(6, 1);
    },
    found: [at(3, 0, BATCH, 3, 4), at(3, 2 * BATCH, BATCH, 5, 6), at(6, BATCH, BATCH, 7, 8)],
    lost: [3, 5, 7],
  },
  {
    name: "two batches one after another, across segments",
    damage(store) {
      store.spoil(3, 2);
      store.spoil(6, 0);
    },
    found: [at(3, 2 * BATCH, BATCH, 5, 6), at(6, 0, BATCH, 6, 7)],
    lost: [5, 6],
  },
  {
    name: "a whole segment of noise",
    damage: (store) => store.change(3, (bytes) => bytes.fill(0xa5)),
    found: [at(3, 0, 3 * BATCH, 3, 6)],
    lost: [3, 4, 5],
  },
  {
    name: "a file cut within a batch",
    damage: (store) => store.cut(3, BATCH + 10),
    found: [at(3, BATCH, 10, 4, 6)],
    lost: [4, 5],
  },
  {
    name: "a file cut between batches",
    damage: (store) => store.cut(3, BATCH),
    found: [at(3, BATCH, 0, 4, 6)],
    lost: [4, 5],
  },
  { name: "an emptied file", damage: (store) => store.cut(3, 0), found: [at(3, 0, 0, 3, 6)], lost: [3, 4, 5] },
  {
    name: "the first file emptied",
    damage: (store) => store.cut(0, 0),
    found: [at(0, 0, 0, 0, 3)],
    lost: [0, 1, 2],
  },
  {
    name: "the last file emptied",
    damage: (store) => store.cut(9, 0),
    found: [at(9, 0, 0, 9, 11)],
    lost: [9, 10],
    closedOnly: true,
  },
  {
    name: "a middle segment that is missing",
    damage: (store) => store.lose(3),
    found: [at(0, 3 * BATCH, 0, 3, 6)],
    lost: [3, 4, 5],
  },
  {
    name: "two middle segments that are missing",
    damage: (store) => store.lose(3, 6),
    found: [at(0, 3 * BATCH, 0, 3, 9)],
    lost: [3, 4, 5, 6, 7, 8],
  },
  {
    name: "the first segment that is missing",
    damage: (store) => store.lose(0),
    found: [at(3, 0, 0, 0, 3)],
    lost: [0, 1, 2],
  },
  {
    name: "the last segment that is missing",
    damage: (store) => store.lose(9),
    found: [at(6, 3 * BATCH, 0, 9, 11)],
    lost: [9, 10],
  },
  {
    name: "all segments that are missing",
    damage: (store) => store.lose(0, 3, 6, 9),
    found: [at(0, 0, 0, 0, 11)],
    lost: [...Array(RECORDS).keys()],
  },
  {
    name: "all but the last segment missing, and damage in that",
    damage(store) {
      store.lose(0, 3, 6);
      store.spoil(9, 0);
    },
    found: [at(9, 0, 0, 0, 9), at(9, 0, BATCH, 9, 10)],
    lost: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  },
  {
    name: "bytes that were put in between",
    damage: (store) =>
      store.change(3, (bytes) => Buffer.concat([bytes.subarray(0, BATCH), Buffer.alloc(50, 7), bytes.subarray(BATCH)])),
    found: [at(3, BATCH, 50, 4, 4)],
    lost: [],
  },
  {
    name: "bytes that were put before",
    damage: (store) => store.change(3, (bytes) => Buffer.concat([Buffer.alloc(50, 7), bytes])),
    found: [at(3, 0, 50, 3, 3)],
    lost: [],
  },
  {
    name: "bytes that were put behind",
    damage: (store) => store.change(3, (bytes) => Buffer.concat([bytes, Buffer.alloc(50, 7)])),
    found: [at(3, 3 * BATCH, 50, 6, 6)],
    lost: [],
  },
  {
    name: "a batch that was taken out",
    damage: (store) => store.change(3, (bytes) => Buffer.concat([bytes.subarray(0, BATCH), bytes.subarray(2 * BATCH)])),
    found: [at(3, BATCH, 0, 4, 5)],
    lost: [4],
  },
  {
    name: "the first batch of a file that was taken out",
    damage: (store) => store.change(3, (bytes) => bytes.subarray(BATCH)),
    found: [at(3, 0, 0, 3, 4)],
    lost: [3],
  },
];

async function open(directory: string, options: LogStoreOptions = {}): Promise<LogStore> {
  const store = await LogStore.open(directory, { segmentBytes: SEGMENT_BYTES, ...options });
  onTestFinished(() => store.close().catch(() => {}));
  return store;
}

async function findings(store: LogStore): Promise<VerifyFinding[]> {
  return (await Array.fromAsync(store.verify())).filter((event) => event.type === "finding");
}

/** Checks the result of every way to read the store. */
async function checkReads(store: LogStore, directory: string, expected: readonly string[]): Promise<void> {
  const { startOffset, endOffset } = store.partition(0);
  for (let from = startOffset; from <= endOffset; from++) {
    const left = expected.filter((line) => Number.parseInt(line, 10) >= from);
    expect(await lines(store, 0, from)).toEqual(left);
    const slice = await store.partition(0).slice(from, 1);
    if (left.length === 0) expect(slice).toBeUndefined();
    else expect(slice?.nextOffset).toBe(Number.parseInt(left[0]!, 10) + 1);
    slice?.release();
  }
  const tailed: string[] = [];
  if (expected.length > 0) {
    for await (const { offset, value } of store.tail(0, { from: startOffset }))
      if (tailed.push(`${offset} ${text(value)}`) === expected.length) break;
  }
  expect(tailed).toEqual(expected);
  const readOnly = await LogStore.openReadOnly(directory);
  const elsewhere = (await collect(readOnly.read(0))).map(({ offset, value }) => `${offset} ${text(value)}`);
  await readOnly.close();
  expect(elsewhere).toEqual(expected);
}

for (const closed of [true, false]) {
  test.each(cases.filter(({ closedOnly }) => closed || !closedOnly))(
    `$name (${closed ? "closed" : "killed"} before)`,
    async ({ damage, found, lost }) => {
      const damaged = await DamagedStore.make({ closed });
      const { directory } = damaged;
      damage(damaged);
      const bytes = Object.fromEntries(
        damaged.names(".log").map((name) => [name, readFileSync(join(directory, "0", name))]),
      );
      const store = await open(directory, { maxOpenFiles: closed ? 512 : 1 });
      const before = everyFile(directory);
      const damages = (await findings(store)).filter(({ kind }) => kind === "damage");
      expect(damages).toMatchObject(found);
      expect(damages).toHaveLength(found.length);

      const planned = (await store.repair()).filter(({ kind }) => kind === "damage");
      expect(everyFile(directory)).toEqual(before); // a dry run changes nothing
      expect(planned).toMatchObject(found);
      expect(planned.reduce((sum, { lostRecords }) => sum + lostRecords, 0)).toBe(lost.length);

      const reader = store.tail(0)[Symbol.asyncIterator]();
      const waiting = codeOf(reader.next());
      const done = (await store.repair({ dryRun: false })).filter(({ kind }) => kind === "damage");
      expect(done.map(withoutName)).toEqual(planned.map(withoutName));
      for (const { file, byte, length, savedAs } of done) {
        expect(savedAs === undefined).toBe(length === 0);
        if (savedAs === undefined) continue;
        const saved = readFileSync(join(directory, savedAs));
        expect(saved).toEqual(bytes[basename(file)]!.subarray(byte, byte + length));
      }
      expect(["CLOSED", "CORRUPT_PARTITION"]).toContain(await waiting);

      const expected = without(...lost);
      await checkReads(store, directory, expected);
      expect(await findings(store)).toEqual([]);
      expect(await store.repair({ dryRun: false })).toEqual([]);
      const killedThen = crashCopy(directory);
      expect((await store.append(null, "on")).offset).toBe(RECORDS);
      await store.append(null, "and on");
      const more = [...expected, `${RECORDS} on`, `${RECORDS + 1} and on`];
      await checkReads(store, directory, more);
      const killed = crashCopy(directory);
      await store.close();
      for (const [copy, left] of [
        [killedThen, expected],
        [killed, more],
        [directory, more],
      ] as const) {
        const again = await open(copy);
        expect(again.recovery).toEqual([]);
        await checkReads(again, copy, left);
        expect(await findings(again)).toEqual([]);
        expect((await again.append(null, "x")).offset).toBe(RECORDS + left.length - expected.length);
        await again.close();
      }
    },
  );
}

function withoutName({ savedAs: _, ...action }: RepairAction): unknown {
  return action;
}

test("an intact store: no findings, no actions, and complete progress", async () => {
  const { directory } = await DamagedStore.make({ partitions: 3 });
  const store = await open(directory);
  const before = everyFile(directory);
  const events = await Array.fromAsync(store.verify());
  const totalBytes = RECORDS * BATCH;
  expect(events).toEqual(
    [0, 1, 2].map((partition) => ({ type: "progress", partition, records: RECORDS, bytes: totalBytes, totalBytes })),
  );
  expect(await store.repair({ dryRun: false })).toEqual([]);
  expect(everyFile(directory)).toEqual(before);
});

test("progress is reported about every MiB, up to the end", async () => {
  const store = await open(":memory:", { segmentBytes: 2_500_000, durability: "written" });
  for (let i = 0; i < 60; i++) await store.append(null, Buffer.alloc(100_000, i));
  const events = (await Array.fromAsync(store.verify())).filter((event) => event.type === "progress");
  expect(events.length).toBeGreaterThanOrEqual(6);
  expect(events.length).toBeLessThanOrEqual(8);
  for (const [i, { bytes, records, totalBytes }] of events.slice(1).entries()) {
    expect(bytes - events[i]!.bytes).toBeGreaterThanOrEqual(i === events.length - 2 ? 0 : 1024 * 1024);
    expect(records).toBeGreaterThanOrEqual(events[i]!.records);
    expect(totalBytes).toBe(events[0]!.totalBytes);
  }
  expect(events.at(-1)).toMatchObject({ records: 60, bytes: events[0]!.totalBytes });
});

test("an index that does not match its log is found, and removed by the repair", async () => {
  const damaged = await DamagedStore.make();
  damaged.change(3, (bytes) => flipped(bytes, 30), "index");
  damaged.change(6, (bytes) => bytes.subarray(0, 20), "index");
  rmSync(damaged.path(0, "index")); // a missing index is not a finding
  const store = await open(damaged.directory);
  const index = { kind: "index", partition: 0, byte: 0, length: 0 };
  expect(await findings(store)).toMatchObject([
    { ...index, file: "0/00000000000000000003.log", offset: 3 },
    { ...index, file: "0/00000000000000000006.log", offset: 6 },
  ]);
  expect(await store.repair({ dryRun: false })).toMatchObject([
    { ...index, lostRecords: 0, savedAs: undefined },
    { ...index, lostRecords: 0, savedAs: undefined },
  ]);
  expect(damaged.names(".index")).toEqual(["00000000000000000009.index"]);
  expect(await findings(store)).toEqual([]);
  expect(await lines(store)).toEqual(without());
});

test("verification during appends and deletions does not report deleted records as missing", async () => {
  for (const upTo of [4, 7, RECORDS]) {
    const { directory } = await DamagedStore.make();
    const storage = new HookedStorage(new NodeStorage());
    const store = await open(directory, { storage, maxOpenFiles: 2 });
    let begun = false;
    storage.before = async ({ kind, path }) => {
      if (begun || kind !== "read" || !path.endsWith("00000000000000000003.log")) return;
      begun = true;
      await store.append(null, "on");
      await store.deleteRecords(0, upTo);
    };
    expect(await findings(store)).toEqual([]);
    expect(begun).toBe(true);
    expect(await lines(store)).toEqual([...without().slice(upTo), `${RECORDS} on`]);
    await store.close();
    expect(storage.openFiles).toBe(0);
  }
});

test("only damaged partitions are closed for a repair", async () => {
  const damaged = await DamagedStore.make({ partitions: 2 });
  damaged.spoil(3, 1);
  const store = await open(damaged.directory);
  const tails = [0, 1].map((partition) => store.tail(partition)[Symbol.asyncIterator]().next());
  const first = codeOf(tails[0]!);
  expect(await store.repair({ dryRun: false })).toHaveLength(1);
  expect(await first).toBe("CLOSED");
  await store.append(null, "on", { partition: 1 });
  expect((await tails[1]!).value).toMatchObject({ offset: RECORDS });
  expect(await lines(store, 0)).toEqual(without(4));
});

test("look-ups by time and retention work across a gap", async () => {
  const storage = new HookedStorage();
  const store = await open("store", { storage });
  for (let offset = 0; offset < RECORDS; offset++) {
    storage.time = 1000 * offset;
    await store.append(null, values[offset]!);
  }
  const file = await storage.openFile("store/0/00000000000000000006.log", "write");
  await file.write([Buffer.alloc(20, 0xa5)], 0);
  await file.write([Buffer.alloc(20, 0xa5)], 2 * BATCH);
  const damages = (await store.repair({ dryRun: false })).filter(({ kind }) => kind === "damage");
  expect(damages).toMatchObject([{ offset: 6 }, { offset: 8 }]);
  const firstFrom = async (time: number) => (await lines(store, 0, { time }))[0];
  for (const offset of [0, 1, 3, 5, 7, 9, 10]) expect(await firstFrom(1000 * offset)).toBe(without()[offset]);
  expect([await firstFrom(6000), await firstFrom(8000), await firstFrom(10_001)]).toEqual([
    "7 v07",
    "9 v09",
    undefined,
  ]);
  storage.time = 10_000;
  store.alter({ retentionMs: 2000 });
  await store.applyRetention();
  expect(store.partition(0).startOffset).toBe(7);
});

test("a repaired log that is damaged again: its gap is not damage", async () => {
  const damaged = await DamagedStore.make();
  damaged.lose(3);
  const first = await open(damaged.directory);
  await first.repair({ dryRun: false });
  await first.append(null, "on");
  await first.close();
  damaged.cut(9, BATCH + 10); // shorter than the checkpoint records: the whole log is checked
  const store = await open(damaged.directory);
  expect(store.recovery).toMatchObject([{ damage: { file: "0/00000000000000000009.log", offset: 10, byte: BATCH } }]);
  await store.repair({ dryRun: false });
  await checkReads(store, damaged.directory, without(3, 4, 5, 10));
  expect((await store.append(null, "on")).offset).toBe(RECORDS + 1);
});

test("records can be deleted up to an offset in a gap", async () => {
  const damaged = await DamagedStore.make();
  damaged.lose(3);
  const store = await open(damaged.directory);
  await store.repair({ dryRun: false });
  await store.deleteRecords(0, 4);
  await checkReads(store, damaged.directory, without(0, 1, 2, 3, 4, 5));
  await store.close();
  const again = await open(damaged.directory);
  expect(again.recovery).toEqual([]);
  expect(again.partition(0).startOffset).toBe(4);
  await checkReads(again, damaged.directory, without(0, 1, 2, 3, 4, 5));
  await again.deleteRecords(0, 7);
  await again.close();
  expect(readFileSync(join(damaged.directory, "0", "checkpoint"), "utf8")).toContain('"gaps":[]');
});

test("a missing last segment of unknown length", async () => {
  const damaged = await DamagedStore.make({ closed: false });
  damaged.lose(9);
  rmSync(join(damaged.directory, "watermarks"));
  const store = await open(damaged.directory);
  expect(await caught(store.append(null, "x"))).toMatchObject({ code: "CORRUPT_PARTITION", offset: 9 });
  expect(await store.repair({ dryRun: false })).toMatchObject([{ offset: 9, nextOffset: 9, lostRecords: 0 }]);
  expect(store.recovery).toEqual([]);
  expect((await store.append(null, "on")).offset).toBe(9);
});

test("assigned offsets are remembered when a damaged store is reopened repeatedly", async () => {
  const damaged = await DamagedStore.make({ closed: false });
  damaged.lose(9);
  for (let i = 0; i < 3; i++) await (await open(damaged.directory)).close();
  const store = await open(damaged.directory);
  await store.repair({ dryRun: false });
  expect((await store.append(null, "on")).offset).toBe(RECORDS);
});

test.each(["in the middle", "at the end"])(
  "batches inside values are not taken for batches of the log: %s",
  async (where) => {
    const mirrored = Buffer.concat(
      [100, 101].map((baseOffset) => {
        const batch = sealed(["another log's"]);
        writeServerHalf(batch, { baseOffset, appendTime: 1, flushedUpTo: baseOffset });
        return batch;
      }),
    );
    const damaged = await DamagedStore.make();
    const store = await open(damaged.directory, { segmentBytes: 10_000 });
    await store.append(null, mirrored);
    if (where === "in the middle") await store.append(null, "behind");
    const end = store.partition(0).endOffset;
    await store.close();
    // The damage is in the header, so that the length of the batch is unknown.
    damaged.change(9, (bytes) => flipped(bytes, 2 * BATCH + 20));
    const again = await open(damaged.directory);
    expect(await findings(again)).toMatchObject([{ offset: RECORDS, nextOffset: RECORDS + 1 }]);
    await again.repair({ dryRun: false });
    const left = (await collect(again.read(0))).map(({ offset }) => offset);
    expect(left).toEqual([...Array(end).keys()].filter((offset) => offset !== RECORDS));
    expect((await again.append(null, "on")).offset).toBe(end);
  },
);

const interrupted: Case[] = [
  {
    name: "much at once",
    damage(store) {
      store.spoil(0, 0);
      store.spoil(3, 0);
      store.spoil(3, 2);
      store.lose(6);
      store.spoil(9, 0);
    },
    found: [],
    lost: [0, 3, 5, 6, 7, 8, 9],
  },
  {
    name: "the end of the log, which nothing else knows",
    damage(store) {
      store.spoil(9, 0);
      store.spoil(9, 1);
    },
    found: [],
    lost: [9, 10],
  },
];

test.each(interrupted)(
  "interrupted at every call, and repeated: $name",
  { timeout: 300_000 },
  async ({ damage, lost }) => {
    const damaged = await DamagedStore.make({ closed: false });
    damage(damaged);
    rmSync(join(damaged.directory, "watermarks"));
    const whole = crashCopy(damaged.directory);
    const uninterrupted = await open(whole);
    await uninterrupted.repair({ dryRun: false });
    await uninterrupted.close();
    for (let k = 1; ; k++) {
      const directory = crashCopy(damaged.directory);
      const storage = new HookedStorage(new NodeStorage());
      const store = await open(directory, { storage });
      let count = 0;
      storage.before = ({ kind, path }) => {
        if (kind === "read" || kind === "openFile" || path.endsWith("watermarks")) return;
        if (++count >= k) throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
      };
      const failure = await store.repair({ dryRun: false }).then(
        () => undefined,
        (error) => error,
      );
      storage.before = () => {};
      if (failure === undefined) break;
      expect(failure).toMatchObject({ code: "STORAGE_FAILED" });
      const [toAppend, toRepair] = [crashCopy(directory), crashCopy(directory)];

      // Without a repair, the store refuses appends, or continues after the last known offset.
      const other = await open(toAppend);
      const appended = await other.append(null, "x").catch((error) => error);
      if (appended.code !== "CORRUPT_PARTITION") expect(appended.offset).toBe(RECORDS);
      await other.close();

      const reopened = await open(toRepair);
      await reopened.repair({ dryRun: false });
      await store.repair({ dryRun: false });
      for (const [each, at] of [
        [reopened, toRepair],
        [store, directory],
      ] as const) {
        expect(await lines(each)).toEqual(without(...lost));
        expect(await findings(each)).toEqual([]);
        await each.close();
        expect(logs(at)).toEqual(logs(whole));
      }
      expect(k).toBeLessThan(200);
    }
  },
);

/**
 * The log on disk and the fields of its checkpoint, without the saved files, of which there are
 * several copies.
 */
function logs(directory: string): unknown {
  return Object.entries(everyFile(directory)).filter(([name]) => /\.log$|checkpoint$/.test(name));
}

test("a closed store is neither verified nor repaired", async () => {
  const store = await open((await DamagedStore.make()).directory);
  await store.close();
  expect(await codeOf(findings(store))).toBe("CLOSED");
  expect(await codeOf(store.repair())).toBe("CLOSED");
});

test("a segment that overlaps the next one is reported, and no repair is offered", async () => {
  const damaged = await DamagedStore.make();
  const [first] = [readFileSync(damaged.path(3)).subarray(0, BATCH)];
  damaged.change(0, (bytes) => Buffer.concat([bytes, first]));
  const store = await LogStore.open(damaged.directory);
  onTestFinished(() => store.close());
  const kinds = (await Array.fromAsync(store.verify())).map((event) =>
    event.type === "finding" ? event.kind : event.type,
  );
  expect(kinds).toContain("overlap");
  expect((await store.repair()).map(({ kind }) => kind)).not.toContain("overlap");
});

test("zeros at the end of a segment that is not the last one are damage", async () => {
  const damaged = await DamagedStore.make();
  damaged.change(0, (bytes) => Buffer.concat([bytes, Buffer.alloc(64)]));
  const store = await LogStore.open(damaged.directory);
  onTestFinished(() => store.close());
  const found = (await Array.fromAsync(store.verify())).filter(({ type }) => type === "finding");
  expect(found).toMatchObject([{ kind: "damage", length: 64 }]);
});
