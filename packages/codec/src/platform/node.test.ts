import { randomBytes } from "node:crypto";
import zlib from "node:zlib";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { platform } from "./node.js";

describe.each(["gzip", "zstd"] as const)("%s", (name) => {
  const { compress, decompress, decompressLater } = platform[name]!;
  const zeros = compress(new Uint8Array(1_000_000));

  test("decompresses up to the limit", () => {
    expect(decompress(zeros, 1_000_000)).toHaveLength(1_000_000);
  });

  // The reader also checks the length, but only after the memory has been allocated.
  test.each([1, 100, 999_999])("throws instead of decompressing to more than %d bytes", (maxBytes) => {
    expect(() => decompress(zeros, maxBytes)).toThrow(RangeError);
  });

  test.each([100, 100_000, 5_000_000])(
    "unpacks %d bytes on another thread, and frees them when told",
    async (length) => {
      const bytes = randomBytes(length);
      const unpacked = await decompressLater!(compress(bytes), length);
      expect(bytes.equals(unpacked.bytes)).toBe(true);
      unpacked.release!();
      if (length > 10_000) expect(unpacked.bytes).toHaveLength(0); // smaller outputs share a pooled buffer
    },
  );

  test.each([1, 100, 999_999])(
    "throws on another thread instead of decompressing to more than %d bytes",
    async (maxBytes) => {
      await expect(decompressLater!(zeros, maxBytes)).rejects.toThrow(RangeError);
    },
  );

  // The buffer of an invalid input is freed as soon as the error is detected.
  test("frees the buffer of an input that it cannot decompress", async () => {
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

// If this test fails on a new release of Node, the output buffer of a failed decompression must be
// found in another way; otherwise that buffer is left to the garbage collector.
test.each([zlib.createGunzip, zlib.createZstdDecompress])(
  "Node's %o has its buffer where it is looked for",
  (create) => {
    const stream = create({ chunkSize: 100_000 }) as { _outBuffer?: unknown; destroy(): void };
    expect(stream._outBuffer).toBeInstanceOf(Buffer);
    stream.destroy();
  },
);

test("without access to that buffer, input is decompressed and rejected as usual", async () => {
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
