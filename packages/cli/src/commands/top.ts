import { setTimeout as delay } from "node:timers/promises";
import type { ReadStream, WriteStream } from "node:tty";
import type { Context } from "../command/context.js";
import { placeName } from "../place/place.js";
import { RateHistory } from "../top/history.js";
import { type Rows, rowsOf, type Sorting, sortings } from "../top/rows.js";
import { type Sample, takeSample } from "../top/sample.js";
import { groupColumns, screenLines, topicColumns } from "../top/screen.js";
import { FullScreen } from "../top/terminal.js";
import { unlessAborted } from "../waiting/unless-aborted.js";

interface Options {
  readonly interval?: number;
  readonly sort?: Sorting;
  readonly count?: number;
}

const DEFAULT_INTERVAL_MS = 2_000;
const SHORTEST_INTERVAL_MS = 250;
const LONGEST_INTERVAL_MS = 60_000;

/** Shows a live screen in a terminal. Otherwise, or with `--count`, prints tables. */
export async function run(context: Context, options: Options): Promise<void> {
  const { output, stdin } = context;
  context.endsBySignal();
  const isLive = output.isTerminal && stdin.isTTY && !output.json && options.count === undefined;
  return isLive ? showScreen(context, options) : showTables(context, options);
}

/** Rates need two samples, so that each table follows an interval. */
async function showTables(
  context: Context,
  { interval = DEFAULT_INTERVAL_MS, sort = "rate", count = 1 }: Options,
): Promise<void> {
  const { client } = await context.open();
  const { output, signal } = context;
  let before = await unlessAborted(takeSample(client), signal);
  for (let i = 0; i < count; i++) {
    await delay(interval, undefined, { signal });
    const now = await unlessAborted(takeSample(client), signal);
    const rows = rowsOf(before, now, sort);
    before = now;
    await output.result({ time: new Date().toISOString(), ...rows }, () => tableLines(rows, output));
  }
}

function tableLines({ topics, groups }: Rows, output: Context["output"]): string[] {
  return [...output.table(topics, topicColumns()), "", ...output.table(groups, groupColumns), ""];
}

async function showScreen(context: Context, options: Options): Promise<void> {
  const { client, place } = await context.open();
  const { output, signal } = context;
  let sorting: Sorting = options.sort ?? "rate";
  let isReversed = false;
  let intervalMs = options.interval ?? DEFAULT_INTERVAL_MS;
  let before: Sample | undefined;
  let now = await unlessAborted(takeSample(client), signal);
  let clock = timeOfDay();
  let problem: string | undefined;
  const history = new RateHistory();
  const quit = new AbortController();
  let wake = Promise.withResolvers<void>();
  const draw = () => {
    const rows = rowsOf(before, now, sorting, isReversed);
    const state = { place: placeName(place), rows, history, sorting, intervalMs, clock, problem };
    screen.draw(screenLines(state, screen.width, screen.height, output.style));
  };
  const keys: Record<string, () => void> = {
    q: () => quit.abort(),
    "\x03": () => quit.abort(),
    s: () => (sorting = sortings[(sortings.indexOf(sorting) + 1) % sortings.length]!),
    r: () => (isReversed = !isReversed),
    "+": () => (intervalMs = Math.min(LONGEST_INTERVAL_MS, intervalMs * 2)),
    "-": () => (intervalMs = Math.max(SHORTEST_INTERVAL_MS, intervalMs / 2)),
  };
  const screen = new FullScreen(
    context.stdin as ReadStream,
    process.stdout as WriteStream,
    (key) => {
      keys[key]?.();
      wake.resolve(); // a shorter interval takes effect at once
      if (!quit.signal.aborted) draw();
    },
    draw,
  );
  context.onEnd(() => screen.close());
  const ended = AbortSignal.any([signal, quit.signal]);
  while (!ended.aborted) {
    draw();
    wake = Promise.withResolvers();
    const due = Math.max(0, now.at + intervalMs - performance.now());
    await Promise.race([waited(due, ended), wake.promise]);
    if (ended.aborted || performance.now() < now.at + intervalMs) continue;
    try {
      const sample = await unlessAborted(takeSample(client), ended);
      before = now;
      now = sample;
      problem = undefined;
      clock = timeOfDay();
      history.add(rowsOf(before, now, sorting).topics);
    } catch (error) {
      if (ended.aborted) return;
      problem = (error as Error).message; // shown until it works again
      now = { ...now, at: performance.now() };
    }
  }
}

async function waited(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {}); // the loop checks why the delay ended
}

function timeOfDay(): string {
  return new Date().toTimeString().slice(0, 8);
}
