import { expect, test } from "vitest";
import { MemoryStorage } from "../index.js";
import { copyRange } from "./copy-range.js";

test("copies a range of any length byte for byte", async () => {
  const bytes = Uint8Array.from({ length: 2_500_000 }, (_, i) => i % 251);
  const storage = new MemoryStorage();
  await storage.makeDirectory("data");
  const [from, to] = [await storage.createFile("data/from"), await storage.createFile("data/to")];
  await from.write([bytes], 0);
  await to.write([Buffer.from("head")], 0);
  await copyRange(from, 100, bytes.length, to, 4);
  const copied = new Uint8Array(await to.size());
  await to.read(copied, 0);
  expect(Buffer.compare(copied, Buffer.concat([Buffer.from("head"), bytes.subarray(100)]))).toBe(0);
});
