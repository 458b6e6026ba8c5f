import { randomBytes } from "node:crypto";
import zlib from "node:zlib";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { platform } from "./node.js";

describe.each(["gzip", "zstd"] as const)("%s", (name) => {
  const { compress, decompress, decompressLater } = platform[name]!;
  const zeros = compress(new Uint8Array(1_000_000));

  test("yields as much as it may", () => {
    expect(decompress(zeros, 1_000_000)).toHaveLength(1_000_000);
  });

  // The reader checks the length as well, but only once memory has been spent.
  test.each([1, 100, 999_999])("throws rather than yield more than %d bytes", (maxBytes) => {
    expect(() => decompress(zeros, maxBytes)).toThrow(RangeError);
  });

  test.each([100, 100_000, 5_000_000])(
    "unpacks %d bytes on another thread, and frees them when told",
    async (length) => {
      const bytes = randomBytes(length);
      const unpacked = await decompressLater!(compress(bytes), length);
      expect(bytes.equals(unpacked.bytes)).toBe(true);
      unpacked.release!();
      if (length > 10_000) expect(unpacked.bytes).toHaveLength(0); // smaller ones share a buffer
    },
  );

  test.each([1, 100, 999_999])("throws on another thread rather than yield more than %d bytes", async (maxBytes) => {
    await expect(decompressLater!(zeros, maxBytes)).rejects.toThrow(RangeError);
  });

  // What is large and no sound batch is freed when that shows.
  test("keeps nothing of what it cannot unpack", async () => {
    const broken = compress(new Uint8Array(40_000_000));
    broken.fill(0xff, broken.length - 100);
    const before = process.memoryUsage().arrayBuffers;
    for (const [bytes, maxBytes] of [
      [broken, 40_000_000],
      [compress(new Uint8Array(40_000_000)), 30_000_000],
    ] as const) {
      await expect(decompressLater!(bytes, maxBytes)).rejects.toThrow();
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  });
});

// A release of Node that fails this test needs another way to the buffer of what cannot be
// unpacked: without it, that buffer is left to the garbage collector.
test.each([zlib.createGunzip, zlib.createZstdDecompress])(
  "Node's %o has its buffer where it is looked for",
  (create) => {
    const stream = create({ chunkSize: 100_000 }) as { _outBuffer?: unknown; destroy(): void };
    expect(stream._outBuffer).toBeInstanceOf(Buffer);
    stream.destroy();
  },
);

test("without that buffer, bytes are unpacked and refused as ever", async () => {
  const { createGunzip } = zlib;
  const hidden: string[] = [];
  vi.spyOn(zlib, "createGunzip").mockImplementation((options) => {
    const stream = createGunzip(options);
    return new Proxy(stream, {
      get(target, name) {
        if (name === "_outBuffer") {
          hidden.push(name);
          return undefined;
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  });
  onTestFinished(() => void vi.restoreAllMocks());
  const { compress, decompressLater } = platform.gzip!;
  const bytes = randomBytes(100_000);
  expect(bytes.equals((await decompressLater!(compress(bytes), bytes.length)).bytes)).toBe(true);
  await expect(decompressLater!(compress(bytes), 1_000)).rejects.toThrow(RangeError);
  const broken = compress(new Uint8Array(1_000_000)).subarray(0, 100);
  await expect(decompressLater!(broken, 1_000_000)).rejects.toThrow("unexpected end of file");
  await expect(decompressLater!(Buffer.from("no gzip"), 1_000)).rejects.toThrow("incorrect header check");
  expect(hidden.length).toBeGreaterThan(0);
});
