import { describe, expect, test } from "vitest";
import { platform } from "./node.js";

describe.each(["gzip", "zstd"] as const)("%s", (name) => {
  const { compress, decompress } = platform[name]!;
  const zeros = compress(new Uint8Array(1_000_000));

  test("yields as much as it may", () => {
    expect(decompress(zeros, 1_000_000)).toHaveLength(1_000_000);
  });

  // The reader checks the length as well, but only once memory has been spent.
  test.each([1, 100, 999_999])("throws rather than yield more than %d bytes", (maxBytes) => {
    expect(() => decompress(zeros, maxBytes)).toThrow(RangeError);
  });
});
