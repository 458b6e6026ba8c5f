import { expect, test } from "vitest";
import { encodeInPieces } from "./in-pieces.js";

test("a long list is encoded in pieces, which together equal the whole", async () => {
  const lengths: number[] = [];
  const serialize = (message: object) => {
    const { name = "", entries } = message as { name?: string; entries: number[] };
    lengths.push(entries.length);
    return Buffer.from(`${name}${entries.join("")}`);
  };
  const entries = Array.from({ length: 3_300 }, (_, i) => i % 10);
  const bytes = await encodeInPieces(serialize, { name: "list", entries });
  expect(bytes.toString()).toBe(`list${entries.join("")}`);
  expect(lengths.length).toBeGreaterThanOrEqual(4);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(1_000);
});

test("a short one is encoded at once", async () => {
  let calls = 0;
  const bytes = await encodeInPieces(
    () => {
      calls++;
      return Buffer.from("x");
    },
    { entries: [1, 2, 3] },
  );
  expect([calls, bytes.toString()]).toEqual([1, "x"]);
});
