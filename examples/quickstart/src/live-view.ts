/**
 * Shows a run on a terminal: a bar for each side and for each partition, in the colour of the
 * member that owns it, and below them what happened.
 */
import { stripVTControlCharacters } from "node:util";
import { bad, bold, dim, good, ofMember } from "./colours.ts";
import { PARTITIONS } from "./flights.ts";
import type { Screen } from "./screen.ts";
import type { Show } from "./show.ts";

const FRAME_MS = 80;
const MIN_BAR = 10;
const MAX_BAR = 44;
/** Columns of a line without its bar. */
const BESIDE_BAR = 51;
/** The largest partition is expected to have this many times the mean. */
const LARGEST_PARTITION = 1.75;

export class LiveView implements Show {
  readonly #screen: Screen;
  readonly #flights: number;
  readonly #produced: number[] = Array(PARTITIONS).fill(0);
  readonly #consumed: number[] = Array(PARTITIONS).fill(0);
  readonly #events: string[] = [];
  readonly #timer: NodeJS.Timeout;
  /** Partitions that were taken over from the member that was killed. */
  readonly #inherited = new Set<number>();
  #owners: readonly (string | undefined)[] = [];
  /** The member that was killed, its partitions that nobody has taken over yet, and when. */
  #dead: { readonly name: string; readonly orphans: Set<number>; readonly since: number } | undefined;

  constructor(screen: Screen, flights: number) {
    this.#screen = screen;
    this.#flights = flights;
    this.#timer = setInterval(() => this.#draw(), FRAME_MS);
    this.#draw();
  }

  produced(partition: number): void {
    this.#produced[partition]!++;
  }

  consumed(partition: number, count: number): void {
    this.#consumed[partition]! += count;
  }

  owners(names: readonly (string | undefined)[]): void {
    this.#owners = names;
    if (this.#dead === undefined) return;
    const { name, orphans, since } = this.#dead;
    const taken = [...orphans].filter((partition) => names[partition] !== undefined && names[partition] !== name);
    for (const partition of taken) {
      orphans.delete(partition);
      this.#inherited.add(partition);
    }
    const seconds = ((performance.now() - since) / 1_000).toFixed(1);
    for (const [heir, partitions] of Map.groupBy(taken, (partition) => names[partition]!)) {
      this.#events.push(`${good("↻")} ${ofMember(heir, heir)} takes over ${named(partitions)}, ${seconds} s later`);
    }
  }

  memberKilled(name: string): void {
    const owned = [...this.#owners.keys()].filter((partition) => this.#owners[partition] === name);
    this.#dead = { name, orphans: new Set(owned), since: performance.now() };
    const flights = sum(this.#consumed).toLocaleString("en");
    this.#events.push(`${bad("✗")} ${ofMember(name, name)} is killed after ${flights} flights (kill -9)`);
  }

  serverKilled(): void {
    const flights = sum(this.#produced).toLocaleString("en");
    this.#events.push(`${bad("✗")} the server is killed after ${flights} flights, and started again`);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#draw();
    this.#screen.stop();
  }

  #draw(): void {
    const produced = sum(this.#produced);
    const consumed = sum(this.#consumed);
    const scale = Math.max((this.#flights / PARTITIONS) * LARGEST_PARTITION, ...this.#produced);
    this.#screen.draw([
      "",
      this.#line(bold("produced"), this.#bar(produced, 0, this.#flights, good), produced, this.#flights, ""),
      this.#line(bold("consumed"), this.#bar(consumed, 0, this.#flights, good), consumed, this.#flights, ""),
      `  ${dim("partition")}`,
      ...Array.from({ length: PARTITIONS }, (_, partition) => this.#partitionLine(partition, scale)),
      "",
      ...(this.#owners.length > 0 ? this.#events : [dim("three members join the group …")]).map((line) => `  ${line}`),
    ]);
  }

  #partitionLine(partition: number, scale: number): string {
    const consumed = this.#consumed[partition]!;
    const produced = Math.max(this.#produced[partition]!, consumed); // a record may arrive before its ack
    const owner = this.#owners[partition];
    const isOrphan = this.#dead?.orphans.has(partition) ?? false;
    const colour = (text: string) => (isOrphan ? bad(text) : ofMember(owner, text));
    const who = isOrphan ? `${owner ?? "nobody"} ✗` : (owner ?? "");
    const from = this.#inherited.has(partition) ? dim(` ← ${this.#dead?.name}`) : "";
    const bar = this.#bar(consumed, produced - consumed, scale, colour);
    return this.#line(String(partition), bar, consumed, produced, colour(who) + from);
  }

  #line(name: string, bar: string, value: number, total: number, after: string): string {
    const numbers = `${value.toLocaleString("en").padStart(6)} ${dim("of")} ${total.toLocaleString("en").padEnd(6)}`;
    return `  ${" ".repeat(9 - visibleLength(name))}${name} ${bar} ${numbers}  ${after}`;
  }

  /** `done` in colour, `waiting` in shades, the rest of the scale empty. */
  #bar(done: number, waiting: number, scale: number, colour: (text: string) => string): string {
    const width = Math.min(MAX_BAR, Math.max(MIN_BAR, this.#screen.width - BESIDE_BAR));
    const columns = (count: number) => Math.min(width, Math.round((count / scale) * width));
    const full = columns(done);
    const shaded = columns(done + waiting) - full;
    return colour("█".repeat(full)) + dim("░".repeat(shaded)) + dim("·".repeat(width - full - shaded));
  }
}

function visibleLength(text: string): number {
  return stripVTControlCharacters(text).length;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function named(partitions: readonly number[]): string {
  return `${partitions.length === 1 ? "partition" : "partitions"} ${partitions.join(", ")}`;
}
