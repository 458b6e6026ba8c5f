import { cpSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { declaredBatchLength } from "@logstore/codec";
import { onTestFinished } from "vitest";

/** Removed when the test ends. On `/dev/shm`, thousands of syncs take no time. */
export function temporaryDirectory(parent = tmpdir()): string {
  const directory = mkdtempSync(join(parent, "logstore-core-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Whether a file is a lock socket: it has no content and cannot be copied. */
export function isLock(path: string): boolean {
  return lstatSync(path).isSocket();
}

/** What a kill -9 at this moment would leave: a copy of the files in another directory. */
export function crashCopy(directory: string): string {
  const copy = join(temporaryDirectory(), "copy");
  cpSync(directory, copy, { recursive: true, filter: (path) => !isLock(path) });
  return copy;
}

/**
 * Every file below a directory with its bytes as hex, directories with a trailing slash: to check
 * that nothing was changed (except `watermarks`).
 */
export function everyFile(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" }).sort()) {
    const path = join(directory, name);
    if (basename(path) === "watermarks" || isLock(path)) continue;
    if (statSync(path).isDirectory()) found[`${name}/`] = "";
    else found[name] = readFileSync(path).toString("hex");
  }
  return found;
}

/** The batches of a log file, without the preallocated zeros after them. */
export function logBytes(path: string): Buffer {
  const bytes = readFileSync(path);
  let end = 0;
  for (let length = 1; length > 0; end += length) length = declaredBatchLength(bytes, end) ?? 0;
  return bytes.subarray(0, end);
}

/** Truncates these zeros, so that a fault can be placed directly after the log. */
export function cutZeros(path: string): void {
  truncateSync(path, logBytes(path).length);
}
