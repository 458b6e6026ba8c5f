/** The Go predecessor of LogStore: the program in `go-ancestor/` makes and checks the values. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type EmbeddedLog, type OpenLog, Skipped } from "../../src/contestants/embedded.ts";

const PROGRAM = fileURLToPath(new URL("../bin/go-ancestor", import.meta.url));
const NS_PER_MS = 1e6;

export const log: EmbeddedLog = {
  settings: "one partition; Append() of each value; Read() of 512 KiB and UnMarshal(), which checks nothing",
  async create(directory, { durability }) {
    if (durability === "flushed") throw new Skipped("the Go ancestor never syncs a file");
    if (!existsSync(PROGRAM)) throw new Skipped("it is not built: run pnpm bench:install where there is Go");
    const program = spawn(PROGRAM, [directory], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
    let lastMs = 0;
    const ask = async (what: string, count: number, valueBytes: number) => {
      program.stdin.write(`${what} ${count} ${valueBytes}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`the program ended where it was to ${what}`);
      lastMs = Number(value) / NS_PER_MS;
    };
    let [count, valueBytes] = [0, 0];
    return {
      lastMs: () => lastMs,
      async append(source) {
        ({ count, valueBytes } = source);
        await ask("append", count, valueBytes);
      },
      async read(sink) {
        await ask("read", count, valueBytes); // it checks the sequence
        sink.seen = count;
      },
      async close() {
        const exited = once(program, "exit");
        program.stdin.end();
        await exited;
      },
    } satisfies OpenLog;
  },
};
