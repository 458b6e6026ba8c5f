/**
 * A commit log: a table of share prices in memory, in a process with an embedded log. The process
 * is killed, and loses nothing that was acknowledged.
 *
 * In a clone of the repository: `pnpm build && pnpm -C examples/commit-log start`
 */
import { deepStrictEqual } from "node:assert";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Price, readPrices } from "./prices.ts";
import { Table } from "./table.ts";

const DIE_AFTER = 250;

const prices = readPrices();
const directory = await mkdtemp(join(tmpdir(), "logstore-commit-log-"));

/** Runs the writer until it exits or dies; returns the number of acknowledged prices. */
function write(...args: string[]): { acknowledged: number; signal: NodeJS.Signals | null } {
  const writer = fileURLToPath(new URL("writer.ts", import.meta.url));
  const { status, signal, stdout } = spawnSync(process.execPath, [writer, directory, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0 && signal === null) throw new Error(`the writer ended with ${status}`);
  return { acknowledged: stdout.toString().trimEnd().split("\n").length, signal };
}

/** Opens the table and verifies that it is the result of applying the prices before its offset. */
async function check(): Promise<Table<Price>> {
  const table = await Table.open<Price>(directory);
  deepStrictEqual(table.rows, new Map(prices.slice(0, table.offset).map((price) => [price.symbol, price])));
  await table.close();
  return table;
}

try {
  const first = write(String(DIE_AFTER));
  console.log(`writer ended by ${first.signal}: ${first.acknowledged} prices were acknowledged`);

  const reopened = await check();
  console.log(`opened again: checkpoint at offset ${reopened.checkpointOffset}, ${reopened.replayed} changes replayed`);
  console.log(`acknowledged and lost: ${Math.max(0, first.acknowledged - reopened.offset)}`);

  write();
  const done = await check();
  for (const { symbol, date, price } of done.rows.values()) console.log(`${symbol.padEnd(5)}${date}  $${price}`);
  console.log(`the table is what ${done.offset} of ${prices.length} prices add up to`);
} finally {
  await rm(directory, { recursive: true, force: true });
}
