/**
 * Event sourcing: two desks assign gates to 1,012 real flights at three airports, concurrently and
 * without a lock. Each append has an expected offset, so that no decision is based on outdated
 * state.
 *
 * In a clone of the repository: `pnpm build && pnpm -C examples/event-sourcing start`
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LogStore } from "@logstore/core";
import { Airport } from "./airport.ts";
import { Desk } from "./desk.ts";
import { AIRPORTS, readFlights } from "./flights.ts";

const flights = readFlights();
const directory = await mkdtemp(join(tmpdir(), "logstore-event-sourcing-"));

async function dispatchAll(): Promise<void> {
  await using store = await LogStore.open(directory, { partitions: AIRPORTS.length });
  const desks = [new Desk(store), new Desk(store)];
  await Promise.all(desks.map((desk, i) => desk.dispatch(flights.filter((_, line) => line % desks.length === i))));
  const conflicts = desks.reduce((sum, desk) => sum + desk.conflicts, 0);
  const changed = desks.reduce((sum, desk) => sum + desk.changedDecisions, 0);
  console.log(`${conflicts} times a desk came too late and decided again; ${changed} times it took another gate`);
}

/** Rebuilds the state from the events alone. */
async function replay(): Promise<void> {
  await using store = await LogStore.open(directory);
  let assigned = 0;
  let takenTwice = 0;
  for (const code of AIRPORTS) {
    const airport = new Airport(store, code);
    await airport.catchUp();
    assigned += airport.offset;
    for (const events of airport.eventsByGate) {
      const inTime = events.toSorted((a, b) => a.from - b.from);
      takenTwice += inTime.filter((event, i) => event.from < (inTime[i - 1]?.until ?? 0)).length;
    }
    const counts = airport.eventsByGate.map((events) => events.length).join(" + ");
    console.log(`${code}: ${airport.offset} flights at ${airport.eventsByGate.length} gates: ${counts}`);
  }
  console.log(`${assigned} of ${flights.length} flights have a gate, ${takenTwice} of them one that was taken`);
  if (assigned !== flights.length || takenTwice > 0) process.exitCode = 1;
}

try {
  await dispatchAll();
  await replay();
} finally {
  await rm(directory, { recursive: true, force: true });
}
