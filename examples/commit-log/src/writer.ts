/**
 * A process that sets the price of every share, one after another, and prints each input line that
 * is acknowledged. Given a number, it dies after that many lines, in the middle of the next one, as
 * by `kill -9`.
 */
import { writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { type Price, readPrices } from "./prices.ts";
import { Table } from "./table.ts";

const CHECKPOINT_EVERY = 100;

const [directory = "", dieAfter = "Infinity"] = process.argv.slice(2);
const table = await Table.open<Price>(directory);
let acknowledged = 0;
for (const [line, price] of readPrices().entries()) {
  if (line < table.offset) continue; // set by an earlier run: it is in the log
  const set = table.set(price.symbol, price);
  if (acknowledged >= Number(dieAfter)) {
    await setImmediate(); // the write is in progress
    process.kill(process.pid, "SIGKILL");
  }
  await set;
  acknowledged++;
  writeSync(1, `${line}\n`);
  if (table.offset % CHECKPOINT_EVERY === 0) await table.checkpoint();
}
await table.close();
