import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { Output } from "../src/output/output.js";

test("a warning replaces the progress bar of a terminal, and does not follow it", async () => {
  const stderr = Object.assign(new PassThrough({ encoding: "utf8" }), { isTTY: true, columns: 80 });
  const output = new Output({ color: "never" }, {}, new PassThrough() as never, stderr as never);
  const progress = await output.progress({ label: "Copying", total: 10, unit: "records" });
  output.warn("records are gone");
  output.note("one more");
  progress.end();
  output.note("done");
  const [, warning, note, ...rest] = (stderr.read() as string).split("\r\x1b[K");
  expect([warning, note, ...rest]).toEqual(["warning: records are gone\n", "one more\n", "done\n"]);
});
