/** The target of an export: stdout, or a file that is complete or absent. */
import { randomUUID } from "node:crypto";
import { link, open, rm, stat } from "node:fs/promises";
import { UsageError } from "../errors/cli-error.js";
import type { Output } from "../output/output.js";

export interface ExportSink {
  readonly isStdout: boolean;
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Completes the export: a file gets its name, durably. */
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
    },
    close: async () => {
      await file.close();
      await rm(unfinished, { force: true });
    },
  };
}

async function exists(name: string): Promise<boolean> {
  return (await stat(name).catch(() => undefined)) !== undefined;
}

function alreadyThere(name: string): UsageError {
  return new UsageError(`${name} exists already`, { hint: "name another file, or remove it first" });
}
