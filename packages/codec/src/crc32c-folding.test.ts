import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import wabtOf from "wabt";
import { Crc32cFolding } from "./crc32c-folding.js";
import { FOLDING_MODULE } from "./crc32c-folding-module.js";
import { crc32c, portableCrc32c } from "./index.js";

const WAT = new URL("crc32c-folding.wat", import.meta.url);
const KIB = 1024;

const folding = new Crc32cFolding();

test("the module is its source, assembled", async () => {
  const wabt = await wabtOf();
  const module = wabt.parseWat("crc32c-folding.wat", await readFile(WAT), { simd: true });
  expect(Buffer.from(module.toBinary({}).buffer).toString("base64")).toBe(FOLDING_MODULE);
});

test.each([
  ["foldNear", 8],
  ["foldFar", 4],
])("the distances of %s make a multiple of the polynomial, with %i terms", async (name, terms) => {
  const source = await readFile(WAT, "utf8");
  const [, body] = new RegExp(`"${name}"(.*?)br_if`, "s").exec(source)!;
  const windowBytes = Number(/i32\.sub \(local\.get \$at\) \(i32\.const (\d+)\)/.exec(body!)![1]);
  const exponents = [...body!.matchAll(/v128\.xor \(v128\.load offset=(\d+)/g)].map(([, offset]) => Number(offset) * 8);
  let remainder = powerOfX(windowBytes * 8);
  for (const exponent of exponents) remainder ^= powerOfX(exponent);
  expect([exponents.length + 1, remainder]).toEqual([terms, 0]);
});

describe("equals plain JavaScript", () => {
  const bytes = Uint8Array.from({ length: 300 * KIB }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);

  test.each([
    ["up to 4 KiB", 0, 4 * KIB],
    ["around the shortest with which the large window is used", 24 * KIB - 40, 24 * KIB + 200],
    ["around a piece and the rest of the next one", 152 * KIB - 40, 152 * KIB + 40],
  ])("at every length %s, at every alignment", (_, shortest, longest) => {
    for (let length = shortest; length <= longest; length++) {
      const start = length % 17;
      expect(folding.crc32c(bytes, start, start + length, 7), `${length} bytes from ${start}`).toBe(
        portableCrc32c(bytes, start, start + length, 7),
      );
    }
  });

  test.each([3 * KIB - 1, 3 * KIB, 128 * KIB - 1, 128 * KIB, 128 * KIB + 1, 129 * KIB + 500, 300 * KIB])(
    "%i bytes, whole and in parts",
    (length) => {
      const whole = portableCrc32c(bytes, 0, length);
      expect(crc32c(bytes, 0, length)).toBe(whole);
      for (const middle of [1, 2_000, length >> 1]) {
        expect(crc32c(bytes, middle, length, crc32c(bytes, 0, middle)), `${middle} bytes first`).toBe(whole);
      }
    },
  );

  test("random lengths, in any order, so that the memory has the bytes of others", () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    let state = seed;
    const random = (limit: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    for (let i = 0; i < 200; i++) {
      const start = random(bytes.length);
      const end = start + random(i % 2 === 0 ? bytes.length - start : Math.min(5_000, bytes.length - start));
      const before = random(2 ** 32);
      expect(folding.crc32c(bytes, start, end, before), `seed ${seed}: [${start}, ${end})`).toBe(
        portableCrc32c(bytes, start, end, before),
      );
    }
  });

  test("memory that threads share", () => {
    const shared = new Uint8Array(new SharedArrayBuffer(10 * KIB)).fill(3);
    expect(crc32c(shared)).toBe(portableCrc32c(new Uint8Array(10 * KIB).fill(3)));
  });
});

test("without WebAssembly, plain JavaScript computes the same", () => {
  const program = `
    import { crc32c } from ${JSON.stringify(import.meta.resolve("@logstore/codec"))};
    console.log(typeof WebAssembly, crc32c(new Uint8Array(10_000).fill(1)));`;
  const printed = execFileSync(process.execPath, ["--jitless", "--input-type=module", "--eval", program], {
    encoding: "utf8",
  });
  expect(printed.trim()).toBe(`undefined ${portableCrc32c(new Uint8Array(10_000).fill(1))}`);
});

/** Returns x^exponent modulo the polynomial of CRC-32C; bit i is the coefficient of x^i. */
function powerOfX(exponent: number): number {
  let power = 1;
  for (let i = 0; i < exponent; i++) power = (power << 1) ^ (power & 0x80000000 ? 0x1edc6f41 : 0);
  return power;
}
