/**
 * A key-value table in memory that survives its process: every change is appended to a commit log
 * first, and opening the table replays the log. A checkpoint, which is the whole table and the
 * offset it corresponds to, makes it unnecessary to replay earlier changes.
 */
import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { LogStore } from "@logstore/core";

interface Checkpoint<Row> {
  /** Offset of the first change that is not in the checkpoint. */
  readonly offset: number;
  readonly rows: [key: string, row: Row][];
}

const decoder = new TextDecoder();

export class Table<Row> {
  readonly #log: LogStore;
  readonly #checkpointFile: string;
  readonly #rows: Map<string, Row>;
  /** Offset of the next change, which is also the number of changes so far. */
  #offset: number;
  /** Offset of the checkpoint found when the table was opened. */
  readonly checkpointOffset: number;
  replayed = 0;

  private constructor(log: LogStore, checkpointFile: string, { offset, rows }: Checkpoint<Row>) {
    this.#log = log;
    this.#checkpointFile = checkpointFile;
    this.#rows = new Map(rows);
    this.#offset = offset;
    this.checkpointOffset = offset;
  }

  static async open<Row>(directory: string): Promise<Table<Row>> {
    const log = await LogStore.open(join(directory, "log")); // one partition, so that all changes are in order
    const file = join(directory, "checkpoint.json");
    const table = new Table<Row>(log, file, await readCheckpoint(file));
    for await (const { key, value } of log.read(0, { from: table.#offset })) {
      table.#apply(decoder.decode(key!), JSON.parse(decoder.decode(value)));
      table.replayed++;
    }
    return table;
  }

  get offset(): number {
    return this.#offset;
  }

  get rows(): ReadonlyMap<string, Row> {
    return this.#rows;
  }

  /** Resolves when the change is on disk; only then is it visible in the table. */
  async set(key: string, row: Row): Promise<void> {
    await this.#log.append(key, JSON.stringify(row));
    this.#apply(key, row); // appends are acknowledged in offset order
  }

  /** Saves a checkpoint, at which the next opening starts. */
  async checkpoint(): Promise<void> {
    const checkpoint: Checkpoint<Row> = { offset: this.#offset, rows: [...this.#rows] };
    const temporary = `${this.#checkpointFile}.tmp`;
    const file = await open(temporary, "w");
    await file.writeFile(JSON.stringify(checkpoint));
    await file.sync(); // before the rename, so that the name never refers to an incomplete file
    await file.close();
    await rename(temporary, this.#checkpointFile);
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  #apply(key: string, row: Row): void {
    this.#rows.set(key, row);
    this.#offset++;
  }
}

async function readCheckpoint<Row>(file: string): Promise<Checkpoint<Row>> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { offset: 0, rows: [] };
    throw error;
  }
}
