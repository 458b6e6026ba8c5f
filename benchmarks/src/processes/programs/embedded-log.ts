/** A process that appends to logs of one contestant and reads them, on request. */
import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { EmbeddedLog, EmbeddedOptions, OpenLog } from "../../contestants/embedded.ts";
import { type Absent, absenceBy, type Contestant, load } from "../../contestants/list.ts";
import { Sink, Source, type SourceOptions } from "../../contestants/values.ts";
import { work } from "../worker.ts";

/** The unit of `stat`. */
const BLOCK_BYTES = 512;

let log: EmbeddedLog;
let file: string;
let open: OpenLog;
let directory: string;

const tasks = {
  /** Returns the settings, or why the contestant cannot take part. */
  async load(contestant: Contestant): Promise<{ readonly settings: string } | Absent> {
    ({ file } = contestant);
    try {
      ({ log } = await load<{ log: EmbeddedLog }>(file));
      return { settings: log.settings };
    } catch (error) {
      return absenceBy(error, file);
    }
  },
  async create({ parent, ...options }: CreateRequest): Promise<Partial<Absent>> {
    directory = await mkdtemp(join(parent, "log-"));
    try {
      open = await log.create(directory, options);
    } catch (error) {
      return absenceBy(error, file);
    }
    return {};
  },
  /** Returns the duration in ms. */
  async append(options: SourceOptions): Promise<number> {
    const source = new Source(options);
    const start = performance.now();
    await open.append(source);
    const ms = performance.now() - start;
    return open.lastMs?.() ?? ms;
  },
  /** Appenders that each wait for their value before they send the next. Returns the duration. */
  async appendSingly({ count, valueBytes, appenders }: Record<"count" | "valueBytes" | "appenders", number>) {
    if (open.appendOne === undefined) throw new Error("it appends no single values");
    const { values } = new Source({ count: appenders, batch: appenders, valueBytes }).next()!;
    let sequence = 0;
    const appender = async (_: unknown, i: number) => {
      for (let left = Math.floor(count / appenders); left > 0; left--) await open.appendOne!(values[i]!, sequence++);
    };
    const start = performance.now();
    await Promise.all(Array.from({ length: appenders }, appender));
    return performance.now() - start;
  },
  /** Reads everything. Returns the duration in ms. */
  async read({ count, valueBytes, isChecked = false }: ReadRequest): Promise<number> {
    const sink = new Sink(valueBytes, isChecked);
    const start = performance.now();
    await open.read(sink);
    const ms = performance.now() - start;
    sink.expect(count);
    return open.lastMs?.() ?? ms;
  },
  /** Writes all files to disk, and drops them from the page cache. */
  async evict(): Promise<void> {
    for (const path of await filesIn(directory)) {
      execFileSync("dd", [`of=${path}`, "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"]);
    }
  },
  /** Closes the log. Returns its size on disk in bytes, and removes it. */
  async remove(): Promise<number> {
    await open.close();
    const bytes = await bytesIn(directory);
    await rm(directory, { recursive: true });
    return bytes;
  },
};

interface CreateRequest extends EmbeddedOptions {
  readonly parent: string;
}

interface ReadRequest {
  readonly count: number;
  readonly valueBytes: number;
  readonly isChecked?: boolean;
}

/** What the files occupy, so that space that is only reserved does not count. */
async function bytesIn(path: string): Promise<number> {
  let bytes = 0;
  for (const file of await filesIn(path)) {
    const { size, blocks } = await stat(file);
    bytes += Math.min(size, blocks * BLOCK_BYTES);
  }
  return bytes;
}

async function filesIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

export type EmbeddedLogTasks = typeof tasks;
work(tasks);
