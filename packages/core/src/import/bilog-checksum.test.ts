import { expect, test } from "vitest";
import { bilogChecksum, isChecksumOfBytes } from "./bilog-checksum.js";

// Checksums computed by the Go program.
test.each([
  ["", 0],
  ["a", 0xf9b2971a],
  ["123456789", 0xfc4f2be9],
  ["Hello World!", 0xfa95129c],
  ["again", 0xfa8ae83d],
  ["value of key-17", 0xfcb15704],
])("of %j", (text, checksum) => {
  const payload = Buffer.from(text);
  expect(bilogChecksum(payload)).toBe(checksum);
  expect(isChecksumOfBytes(checksum)).toBe(payload.length > 0);
});
