import { describe, expect, test } from "vitest";
import { crc32c, portableCrc32c } from "./index.js";

const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);

const vectors: [name: string, bytes: Uint8Array, crc: number][] = [
  ["nothing", new Uint8Array(), 0],
  ["the check value", new TextEncoder().encode("123456789"), 0xe3069283],
  // RFC 3720, B.4
  ["32 bytes of 00", new Uint8Array(32), 0x8a9136aa],
  ["32 bytes of ff", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["32 bytes, ascending", ascending, 0x46dd794e],
  ["32 bytes, descending", ascending.toReversed(), 0x113fdb5c],
];

describe.each([
  ["crc32c", crc32c],
  ["portableCrc32c", portableCrc32c],
])("%s", (_, crc) => {
  test.each(vectors)("%s", (_, bytes, expected) => {
    expect(crc(bytes)).toBe(expected);
  });

  test("every length from 0 to 300, at every alignment", () => {
    const bytes = Uint8Array.from({ length: 320 }, (_, i) => (i * 167 + (i >> 3)) & 0xff);
    for (let length = 0; length <= 300; length++) {
      const start = length % 17;
      expect(crc(bytes, start, start + length), `${length} bytes from ${start}`).toBe(
        bitwise(bytes, start, start + length),
      );
    }
  });

  test("a checksum computed in parts equals that of the whole", () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 31) & 0xff);
    for (const middle of [0, 1, 15, 200, 999, 1000]) {
      expect(crc(bytes, middle, 1000, crc(bytes, 0, middle)), `${middle} bytes first`).toBe(bitwise(bytes, 0, 1000));
    }
  });

  test("a view that starts in the middle of its buffer", () => {
    const view = new Uint8Array(1000).fill(7).subarray(301, 701);
    expect(crc(view)).toBe(bitwise(view, 0, 400));
    expect(crc(view, 100)).toBe(bitwise(view, 100, 400));
  });
});

/** Computes the checksum bit by bit, as defined. */
function bitwise(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0xffffffff;
  for (const byte of bytes.subarray(start, end)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}
