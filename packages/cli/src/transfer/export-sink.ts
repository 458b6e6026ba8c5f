/** The target of an export: stdout, or a file that is complete or absent. */
import { randomUUID } from "node:crypto";
import { type FileHandle, link, open, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { UsageError } from "../errors/cli-error.js";
import type { Output } from "../output/output.js";

export interface ExportSink {
  readonly isStdout: boolean;
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Completes the export: a file gets its name, and both are durable. */
  finish(): Promise<void>;
  /** Removes an incomplete file. */
  close(): Promise<void>;
}

/** A file that exists is not overwritten. @throws UsageError */
export async function openSink(output: Output, name: string | undefined): Promise<ExportSink> {
  if (name === undefined || name === "-") {
    return {
      isStdout: true,
      write: (bytes) => output.write(bytes),
      finish: async () => {},
      close: async () => {},
    };
  }
  if (await exists(name)) throw alreadyThere(name);
  const unfinished = `${name}.${randomUUID()}.unfinished`;
  const file = await open(unfinished, "wx");
  return {
    isStdout: false,
    write: (bytes) => file.writeFile(bytes),
    finish: async () => {
      await file.sync();
      try {
        await link(unfinished, name); // unlike a rename, it overwrites nothing
      } catch (error) {
        throw (error as NodeJS.ErrnoException).code === "EEXIST" ? alreadyThere(name) : error;
      }
      await syncName(name, file);
    },
    close: async () => {
      await file.close();
      await rm(unfinished, { force: true });
    },
  };
}

/** Makes the name of a file durable. */
async function syncName(name: string, file: FileHandle): Promise<void> {
  if (process.platform === "win32") return; // directories cannot be opened there; NTFS journals their names itself
  let directory: FileHandle;
  try {
    directory = await open(dirname(name), "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EACCES") throw error;
    return file.sync(); // the directory may be written to, not read; journaling file systems commit the name, too
  }
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function exists(name: string): Promise<boolean> {
  return (await stat(name).catch(() => undefined)) !== undefined;
}

function alreadyThere(name: string): UsageError {
  return new UsageError(`${name} exists already`, { hint: "name another file, or remove it first" });
}
