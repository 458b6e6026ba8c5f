/** Headers that are too many, too long, malformed, or endless. */
import type { Attack, Target } from "../attack.ts";
import { callHeaders, Flag, Frame, frame, headerBlock, hello, hpackInteger } from "../frames.ts";
import { endsOf, resetsOf } from "../verdict.ts";

const FRAME_BYTES = 16_384;
const WAIT_MS = 1_000;

/** Calls whose header block is split into as many frames as needed. */
function withHeaders(name: string, block: () => Buffer, { calls = 1, ends = true } = {}): Attack {
  return {
    name,
    async run({ connect }: Target) {
      const connection = await connect();
      await connection.write(hello);
      const bytes = block();
      for (let call = 0; call < calls && !connection.isClosed; call++) {
        const stream = 2 * call + 1;
        for (let at = 0; at < bytes.length && !connection.isClosed; at += FRAME_BYTES) {
          const part = bytes.subarray(at, at + FRAME_BYTES);
          const isLast = ends && at + FRAME_BYTES >= bytes.length;
          const type = at === 0 ? Frame.HEADERS : Frame.CONTINUATION;
          await connection.write(frame(type, isLast ? Flag.END_HEADERS : 0, stream, part));
        }
      }
      await connection.closedWithin(WAIT_MS);
      const resets = resetsOf([connection]);
      return endsOf([connection]) + (resets === "" ? "" : `; calls: ${resets}`);
    },
  };
}

const call = callHeaders("Produce");
const many = (count: number, length: number) =>
  Array.from({ length: count }, (_, i) => [`x-${i}`, "v".repeat(length)] as [string, string]);

/** One header is added to the table once, and then referenced with one byte each time. */
function tableBomb(): Buffer {
  const value = Buffer.alloc(4_000, "v");
  const entry = Buffer.concat([Buffer.of(0x40, 1), Buffer.from("x"), hpackInteger(value.length, 7, 0), value]);
  return Buffer.concat([headerBlock(call), entry, Buffer.alloc(200_000, 0x80 | 62)]);
}

export const headers: readonly Attack[] = [
  withHeaders("10,000 small headers", () => headerBlock([...call, ...many(10_000, 20)]), { calls: 20 }),
  withHeaders("one header of 10 MB", () => headerBlock([...call, ...many(1, 10_000_000)])),
  withHeaders("metadata just under and over the limit, 200 calls", () => headerBlock([...call, ...many(60, 1_000)]), {
    calls: 200,
  }),
  withHeaders(
    "header names that gRPC does not allow, 1,000 calls",
    () => headerBlock([...call, ["x^", "a line for the log"], ["x'y", "v"]]),
    { calls: 1_000 },
  ),
  withHeaders(
    "CONTINUATION flood: 100 MB of headers without end",
    () => headerBlock([...call, ...many(1_000, 100_000)]),
    {
      ends: false,
    },
  ),
  withHeaders("header table bomb: 800 MB of headers in 200 kB", tableBomb, { calls: 5 }),
];
