import { describe, expect, test } from "vitest";
import { frameCopy } from "./grpc-frame.js";
import { MessageJoiner } from "./message-joiner.js";

const KIB = 1024;

/** A message of that many bytes with its prefix. */
function framed(length: number, fill = length % 251): Uint8Array<ArrayBuffer> {
  return new Uint8Array(frameCopy(new Uint8Array(length).fill(fill)));
}

function joinerOf(maxLength = -1) {
  const allocated: number[] = [];
  const joiner = new MessageJoiner(maxLength, (bytes) => {
    allocated.push(bytes);
    return new Uint8Array(bytes);
  });
  return { joiner, allocated };
}

function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

describe("joining", () => {
  const messages = [framed(0), framed(1), framed(300), framed(0), framed(70 * KIB), framed(2)];
  const data = concat(...messages);

  test.each([1, 2, 4, 5, 6, 7, 100, 16 * KIB, data.length])("pieces of %d bytes become the same messages", (bytes) => {
    const { joiner } = joinerOf();
    const joined: Uint8Array[] = [];
    for (let at = 0; at < data.length; at += bytes) joined.push(...joiner.add(data.subarray(at, at + bytes)));
    expect(joined).toEqual(messages);
  });

  test("a message does not refer to the data from which it was joined", () => {
    const { joiner } = joinerOf();
    const data = framed(10, 7);
    const [message] = joiner.write(data);
    data.fill(0);
    expect(message).toEqual(framed(10, 7));
  });

  test("a message that was joined already is passed on as it is", () => {
    const { joiner, allocated } = joinerOf();
    const [first, second] = joiner.add(concat(framed(3), framed(4)));
    joiner.joined(first!);
    joiner.joined(second!);
    expect(joiner.write(first!)[0]).toBe(first);
    expect(joiner.write(second!)[0]).toBe(second);
    expect(allocated).toHaveLength(2);
  });

  test("says how much of a message is missing", () => {
    const { joiner } = joinerOf();
    const data = framed(1000);
    joiner.add(data.subarray(0, 4));
    expect(joiner).toMatchObject({ readMessageSize: 0, readMessageRemaining: 0 });
    joiner.add(data.subarray(4, 105));
    expect(joiner).toMatchObject({ readMessageSize: 1000, readMessageRemaining: 900 });
    joiner.add(data.subarray(105));
    expect(joiner).toMatchObject({ readMessageSize: 0, readMessageRemaining: 0 });
  });
});

describe("limits", () => {
  test("a message that is too long is refused before memory is allocated for it, and so is what follows", () => {
    const { joiner, allocated } = joinerOf(100);
    expect(joiner.add(framed(100))).toHaveLength(1);
    const data = framed(101);
    expect(() => joiner.add(data.subarray(0, 5))).toThrow("Received message larger than max (101 vs 100)");
    expect(() => joiner.add(data.subarray(5))).toThrow("larger than max");
    expect(allocated).toHaveLength(1);
  });

  test("a length of 32 bits is not negative", () => {
    const { joiner } = joinerOf(2 ** 31);
    expect(() => joiner.add(Uint8Array.of(0, 255, 255, 255, 255))).toThrow("(4294967295 vs 2147483648)");
  });

  test("a peer that announces a gigabyte and sends little occupies little", () => {
    const { joiner, allocated } = joinerOf();
    const prefix = Uint8Array.of(0, 64, 0, 0, 0);
    joiner.add(concat(prefix, new Uint8Array(100)));
    expect(allocated).toEqual([64 * KIB + 5]);
    joiner.add(new Uint8Array(64 * KIB));
    expect(allocated.at(-1)).toBeLessThan(KIB * KIB);
  });

  test("messages as long as the one before get their buffer at once, up to a limit", () => {
    const { joiner, allocated } = joinerOf();
    joiner.add(framed(200 * KIB));
    joiner.add(framed(200 * KIB));
    expect(allocated.slice(-1)).toEqual([200 * KIB + 5]);
    joiner.add(framed(3 * KIB * KIB));
    joiner.add(framed(3 * KIB * KIB).subarray(0, 100));
    expect(allocated.at(-1)).toBe(KIB * KIB + 5);
  });
});
