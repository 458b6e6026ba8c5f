/** The contract of the durable map and of the groups' journal. */
import { expect, test } from "vitest";
import type { JournalStore } from "../../src/engine/journal-store.js";
import { Bench, batch, codeOf, lines, type MakeHome } from "./home.js";

export function mapContract(makeHome: MakeHome): void {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const text = (value: Uint8Array | undefined) => value && Buffer.from(value).toString();

  test("a key is set by who knows its revision, 0 if it does not exist, and is found after a reopen", async () => {
    const bench = await Bench.in(makeHome);
    const engine = await bench.open();
    const { map } = engine;
    expect(await map.get("k")).toBeUndefined();
    expect(await map.compareAndSet("k", bytes("x"), 5)).toBeUndefined();
    const first = (await map.compareAndSet("k", bytes("a"), 0))!;
    expect(first).toBeGreaterThan(0);
    expect(await map.compareAndSet("k", bytes("b"), 0)).toBeUndefined();
    const second = (await map.compareAndSet("k", bytes("c"), first))!;
    expect(second).not.toBe(first);
    expect(await map.compareAndSet("k", bytes("d"), first)).toBeUndefined();
    const set = (await map.get("k"))!;
    expect([text(set.value), set.revision]).toEqual(["c", second]);
    expect(await map.get("other")).toBeUndefined();
    await bench.close(engine);

    const again = (await bench.open()).map;
    const found = (await again.get("k"))!;
    expect(text(found.value)).toBe("c");
    expect(await again.compareAndSet("k", bytes("e"), 0)).toBeUndefined();
    expect(await again.compareAndSet("k", bytes("e"), found.revision)).toBeGreaterThan(0);
    expect(text((await again.get("k"))?.value)).toBe("e");
  });

  test("of concurrent calls with one revision, one succeeds: a counter counts every increment", async () => {
    const bench = await Bench.in(makeHome);
    const engines = [await bench.open()];
    if (bench.home.isShared) engines.push(await bench.open());
    let refused = 0;
    const increment = async (i: number) => {
      const { map } = engines[i % engines.length]!;
      for (;;) {
        const found = await map.get("n");
        const next = Number(text(found?.value) ?? 0) + 1;
        if ((await map.compareAndSet("n", bytes(`${next}`), found?.revision ?? 0)) !== undefined) return;
        refused++;
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, i) => increment(i)));
    expect(text((await engines[0]!.map.get("n"))?.value)).toBe("20");
    expect(refused).toBeGreaterThan(0);
  });

  test("values of 64 KiB are stored, and are not those of a buffer that a caller has", async () => {
    const { map } = await (await Bench.in(makeHome)).open();
    const large = new Uint8Array(64 * 1024).fill(7);
    const copy = large.slice();
    await map.compareAndSet("large", large, 0);
    large.fill(0);
    (await map.get("large"))!.value.subarray(0, 100).fill(1);
    expect(Buffer.from((await map.get("large"))!.value).equals(copy)).toBe(true);
  });
}

export function journalContract(makeHome: MakeHome): void {
  async function snapshotOf(journal: JournalStore): Promise<string | undefined> {
    const reader = await journal.openSnapshot();
    if (reader === undefined) return undefined;
    const into = new Uint8Array(4);
    let found = "";
    for (let length = -1; length !== 0; found += Buffer.from(into.subarray(0, length)).toString()) {
      length = await reader.read(into, found.length);
    }
    await reader.close();
    return found;
  }

  test("a journal does not exist until it is made, and is found after a reopen, with its strongest durability", async () => {
    const bench = await Bench.in(makeHome);
    const engine = await bench.open();
    expect(await engine.journal.open()).toBeUndefined();
    expect(await engine.journal.openSnapshot()).toBeUndefined();
    const log = await engine.journal.make();
    expect(engine.journal.location).not.toBe("");
    const { durability } = await log.appendBatches(batch(["a"]));
    expect(durability).toBe(engine.durabilities.at(-1));
    await log.appendBatches(batch(["b".repeat(2_000_000)]));
    await bench.close(engine);
    const reopened = (await (await bench.open()).journal.open())!;
    expect(await lines(reopened)).toEqual(["0 a", `1 ${"b".repeat(2_000_000)}`]);
  });

  test("a snapshot is replaced as a whole, or stays; the log's beginning is deleted after it", async () => {
    const bench = await Bench.in(makeHome);
    const engine = await bench.open();
    const log = await engine.journal.make();
    for (const value of ["a", "b", "c"]) await log.appendBatches(batch([value]));
    await engine.journal.replaceSnapshot(async (sink) => {
      await sink([Buffer.from("one"), Buffer.from("two")]);
      await sink([Buffer.from("three")]);
    });
    await log.deleteRecords(2);
    const failed = engine.journal.replaceSnapshot(async (sink) => {
      await sink([Buffer.from("half")]);
      throw Object.assign(new Error("no"), { code: "STOPPED" });
    });
    expect(await codeOf(failed)).toBe("STOPPED");
    expect(await snapshotOf(engine.journal)).toBe("onetwothree");
    await engine.journal.replaceSnapshot((sink) => sink([Buffer.from("four")]));
    await bench.close(engine);
    const { journal } = await bench.open();
    expect(await snapshotOf(journal)).toBe("four");
    expect(await lines((await journal.open())!)).toEqual(["2 c"]);
  });
}
