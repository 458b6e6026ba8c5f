/** The contract of a log store: tails. */
import { describe, expect, test } from "vitest";
import { range, text } from "../records.js";
import type { Home } from "./home.js";

export function tails({ open }: Home): void {
  describe("tail", () => {
    test("continues with new records, by default from the end", async () => {
      const store = await open();
      await store.append("k", "before");
      const iterator = store.tail(0)[Symbol.asyncIterator]();
      const next = iterator.next();
      await store.append("k", "after");
      expect(text((await next).value!.value)).toBe("after");
      const later = iterator.next();
      await store.appendMany(0, [{ value: "x" }, { value: "y" }]);
      expect(text((await later).value!.value)).toBe("x");
      expect(text((await iterator.next()).value!.value)).toBe("y");
      await iterator.return?.();
    });

    test("catches up first if it starts earlier", async () => {
      const store = await open();
      await store.appendMany(0, [{ value: "a" }, { value: "b" }]);
      const seen: string[] = [];
      for await (const { offset, value } of store.tail(0, { from: "earliest" })) {
        seen.push(text(value)!);
        if (offset === 1) await store.append("k", "c");
        if (offset === 2) break;
      }
      expect(seen).toEqual(["a", "b", "c"]);
    });

    test("many tails of one partition all see everything", async () => {
      const store = await open();
      const tails = range(20).map(async () => {
        const seen: string[] = [];
        for await (const { value } of store.tail(0, { from: 0 })) {
          seen.push(text(value)!);
          if (seen.length === 10) return seen;
        }
        return seen;
      });
      for (const value of range(10)) await store.append("k", value);
      for (const seen of await Promise.all(tails)) expect(seen).toEqual(range(10));
    });

    test("a signal ends a wait with its reason, and an aborted one ends it at once", async () => {
      const store = await open();
      const stop = new AbortController();
      const next = store.tail(0, { signal: stop.signal })[Symbol.asyncIterator]().next();
      const reason = new Error("enough");
      stop.abort(reason);
      await expect(next).rejects.toBe(reason);
      const already = store.tail(0, { signal: stop.signal })[Symbol.asyncIterator]().next();
      await expect(already).rejects.toBe(reason);
      await expect(store.tail(0, { signal: stop.signal }).chunks().next()).rejects.toBe(reason);
      expect((await store.append("k", "v")).offset).toBe(0);
    });

    test("returning from a waiting tail ends it at once", async () => {
      const store = await open();
      const iterator = store.tail(0)[Symbol.asyncIterator]();
      const next = iterator.next();
      await store.append("k", "v");
      await next;
      const waiting = iterator.next();
      await iterator.return?.();
      expect((await waiting).done).toBe(true);
      const batches = store.tail(0).batches();
      const batch = batches.next();
      await batches.return();
      expect((await batch).done).toBe(true);
      const chunks = store.tail(0).chunks();
      const chunk = chunks.next();
      await chunks.return();
      expect((await chunk).done).toBe(true);
    });

    test("closing the store ends it with an error, because more records may follow after a reopen", async () => {
      const store = await open();
      const next = store.tail(0)[Symbol.asyncIterator]().next();
      await new Promise((resolve) => setImmediate(resolve));
      await Promise.all([store.close(), expect(next).rejects.toMatchObject({ code: "CLOSED", partition: 0 })]);
    });
  });
}
