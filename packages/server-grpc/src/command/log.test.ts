import { StorageFailedError } from "@logstore/codec";
import { expect, test } from "vitest";
import { openLog } from "./log.js";

function lines(level: "info" | "warn", format: "json" | "text") {
  const written: string[] = [];
  const { log } = openLog({ level, format }, (line) => void written.push(line));
  return { log, written };
}

const error = new StorageFailedError("a write\nfailed", { topic: "t", partition: 3 }, { cause: new Error("EIO") });

test("an event is one line of JSON; a LogStoreError has its code, fields and cause", () => {
  const { log, written } = lines("info", "json");
  log.error({ err: error }, "failed");
  log.info("well");
  expect(written.every((line) => line.indexOf("\n") === line.length - 1)).toBe(true);
  const [failed, well] = written.map((line) => JSON.parse(line));
  const err = { code: "STORAGE_FAILED", message: "a write\nfailed", topic: "t", partition: 3, cause: "Error: EIO" };
  expect(failed).toEqual({ level: "error", time: expect.stringMatching(/Z$/), msg: "failed", err });
  expect(Object.keys(well)).toEqual(["level", "time", "msg"]);
});

test("an unexpected error has its stack, and a value that is not an error is logged as well", () => {
  const { log, written } = lines("info", "json");
  log.error({ err: new TypeError("a bug") }, "failed");
  log.error({ err: "thrown" }, "failed");
  const [bug, thrown] = written.map((line) => JSON.parse(line).err);
  expect(bug).toEqual({ type: "TypeError", message: "a bug", stack: expect.stringContaining("log.test.ts") });
  expect(thrown).toEqual({ message: "thrown" });
});

test("the text format is one line, for humans", () => {
  const { log, written } = lines("warn", "text");
  log.info("not told");
  log.warn({ address: "127.0.0.1:1", reason: "two words", keys: ["a"] }, "careful");
  expect(written).toEqual([
    expect.stringMatching(/^\S+Z WARN careful address=127\.0\.0\.1:1 reason="two words" keys=\["a"\]\n$/),
  ]);
});

const hostile = "a\u001b[31mred\u009b2J\u202eabc\u2066\u0007\nnext\u2028";

test.for(["json", "text"] as const)("a line of %s contains nothing that a terminal interprets", (format) => {
  const { log, written } = lines("info", format);
  log.warn({ name: hostile, err: new Error(hostile), deep: [{ name: hostile }] }, hostile);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what there must be none of.
  expect(written.join("").slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
  expect(written.join("")).toContain("\\u001b[31mred\\u009b2J\\u202eabc");
  if (format === "json") expect(JSON.parse(written[0]!)).toMatchObject({ msg: hostile, name: hostile });
});

test("long texts are truncated at any depth", () => {
  const { log, written } = lines("info", "json");
  const long = "x".repeat(1_000_000);
  log.warn({ reason: long, err: new StorageFailedError(long, { topic: long }), names: [long] }, "refused");
  expect(written[0]!.length).toBeLessThan(10_000);
  expect(JSON.parse(written[0]!).reason).toMatch(/^x{2000}… \(1000000 characters\)$/);
});
