import { expect, test } from "vitest";
import { StderrSink } from "./stderr-sink.js";

type Done = (error: Error | null, writtenBytes: number) => void;

test("lines that arrive during a write are written together, in order, despite short writes", async () => {
  const written: string[] = [];
  const sink = new StderrSink((bytes, done) => {
    const part = bytes.subarray(0, 3);
    written.push(part.toString());
    setImmediate(done, null, part.length);
  });
  for (const line of ["one\n", "two\n", "three\n"]) sink.write(line);
  await sink.flush();
  expect([written.join(""), sink.droppedLines]).toEqual(["one\ntwo\nthree\n", 0]);
});

test("a line that cannot be written is dropped and counted, and the next one is tried", async () => {
  const disk = { isFull: true, written: "" };
  const sink = new StderrSink((bytes, done) => {
    if (!disk.isFull) disk.written += bytes;
    setImmediate(done, disk.isFull ? new Error("ENOSPC") : null, disk.isFull ? 0 : bytes.length);
  });
  sink.write("lost\n");
  await sink.flush();
  disk.isFull = false;
  sink.write("told\n");
  await sink.flush();
  expect([disk.written, sink.droppedLines]).toEqual(["told\n", 1]);
});

test("if nobody reads, lines beyond a limit are dropped and counted, and a flush ends", async () => {
  const begun: Done[] = [];
  const sink = new StderrSink((_bytes, done) => void begun.push(done));
  const line = `${"x".repeat(64 * 1024 - 1)}\n`;
  for (let i = 0; i < 100; i++) sink.write(line);
  expect([begun.length, sink.droppedLines]).toEqual([1, 100 - 64]);
  await sink.flush();
  // Lines no longer count as waiting once their write has completed.
  begun[0]!(null, 64 * 1024);
  sink.write(line);
  expect(sink.droppedLines).toBe(36);
});
