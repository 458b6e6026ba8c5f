/** The contract of a log store: close. */
import { describe, expect, test } from "vitest";
import { LogStore } from "../../src/index.js";
import { codeOf, range, values } from "../records.js";
import type { Home } from "./home.js";

export function closing({ open, home }: Home): void {
  describe("close", () => {
    test("completes pending appends, then refuses new ones", async () => {
      const store = await open({ durability: "written" });
      const appends = range(10).map((value) => store.append("k", value));
      await store.close();
      expect((await Promise.all(appends)).map(({ offset }) => offset)).toEqual([...Array(10).keys()]);
      expect(await codeOf(store.append("k", "late"))).toBe("CLOSED");
      expect(await codeOf(store.appendMany(0, [{ value: "late" }]))).toBe("CLOSED");
      expect(await codeOf(values(store))).toBe("CLOSED");
      expect(await codeOf(store.partition(0).slice(0, 100))).toBe("CLOSED");
    });

    test("closing twice has no further effect, and the second call waits for the first", async () => {
      const store = await open({ durability: "written" });
      const append = store.append("k", "v");
      let done = false;
      void append.then(() => {
        done = true;
      });
      void store.close();
      await store.close();
      expect(done).toBe(true);
      await store.close();
    });

    test("`await using` closes", async () => {
      let left: LogStore;
      {
        await using store = await LogStore.open(home());
        await store.append("k", "v");
        left = store;
      }
      expect(await codeOf(left.append("k", "v"))).toBe("CLOSED");
    });
  });
}
