import { expect, test } from "vitest";
import { MemoryStorage } from "../index.js";

test("a write of many buffers that grows the file more than once keeps all of them", async () => {
  const storage = new MemoryStorage();
  await storage.makeDirectory("d");
  const file = await storage.createFile("d/f");
  const parts = [1, 2, 3, 4].map((byte) => Buffer.alloc(5000 * byte, byte));
  await file.write(parts, 0);
  await file.write(parts, 50_000);
  const content = Buffer.alloc(100_000);
  expect(await file.read(content, 0)).toBe(100_000);
  expect(content.equals(Buffer.concat([...parts, ...parts]))).toBe(true);
});

test("a linked file is one file with two names, until both are removed", async () => {
  const storage = new MemoryStorage();
  await storage.makeDirectory("d");
  const file = await storage.createFile("d/one");
  await storage.link("d/one", "d/two");
  await expect(storage.link("d/one", "d/two")).rejects.toMatchObject({ code: "EEXIST" });
  await expect(storage.link("d/none", "d/three")).rejects.toMatchObject({ code: "ENOENT" });
  await file.write([Buffer.from("abc")], 0);
  await storage.remove("d/one");
  const content = Buffer.alloc(3);
  expect(await (await storage.openFile("d/two")).read(content, 0)).toBe(3);
  expect(content.toString()).toBe("abc");
});
