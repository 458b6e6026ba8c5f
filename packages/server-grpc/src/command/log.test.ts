import { StorageFailedError } from "@logstore/codec";
import { expect, test } from "vitest";
import { openLog } from "./log.js";

function lines(level: "info" | "warn", format: "json" | "text") {
  const written: string[] = [];
  const { log } = openLog({ level, format }, (line) => void written.push(line));
  return { log, written };
}

const error = new StorageFailedError("a write\nfailed", { topic: "t", partition: 3 }, { cause: new Error("EIO") });

test("an event is one line of JSON, an error of ours its code, its fields and its cause", () => {
  const { log, written } = lines("info", "json");
  log.error({ err: error }, "failed");
  log.info("well");
  expect(written.every((line) => line.indexOf("\n") === line.length - 1)).toBe(true);
  const [failed, well] = written.map((line) => JSON.parse(line));
  const err = { code: "STORAGE_FAILED", message: "a write\nfailed", topic: "t", partition: 3, cause: "Error: EIO" };
  expect(failed).toEqual({ level: "error", time: expect.stringMatching(/Z$/), msg: "failed", err });
  expect(Object.keys(well)).toEqual(["level", "time", "msg"]);
});

test("an error that was not foreseen has its stack, and what is no error is told none the less", () => {
  const { log, written } = lines("info", "json");
  log.error({ err: new TypeError("a bug") }, "failed");
  log.error({ err: "thrown" }, "failed");
  const [bug, thrown] = written.map((line) => JSON.parse(line).err);
  expect(bug).toEqual({ type: "TypeError", message: "a bug", stack: expect.stringContaining("log.test.ts") });
  expect(thrown).toEqual({ message: "thrown" });
});

test("for people it is a line of text", () => {
  const { log, written } = lines("warn", "text");
  log.info("not told");
  log.warn({ address: "127.0.0.1:1", reason: "two words", keys: ["a"] }, "careful");
  expect(written).toEqual([
    expect.stringMatching(/^\S+Z WARN careful address=127\.0\.0\.1:1 reason="two words" keys=\["a"\]\n$/),
  ]);
});
