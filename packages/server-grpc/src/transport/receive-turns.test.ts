import { expect, test } from "vitest";
import { REQUEST_COST_BYTES, ReceiveTurns } from "./receive-turns.js";

const KIB = 1024;
const TURN_BYTES = 256 * KIB;

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** A connection with pending requests of one length, and how many it could process in each turn. */
class Sender {
  readonly #byTurn: number[] = [];
  readonly #turns: ReceiveTurns;
  readonly #bytes: number;
  #left: number;

  constructor(turns: ReceiveTurns, count: number, bytes: number) {
    this.#turns = turns;
    this.#left = count;
    this.#bytes = bytes;
  }

  begin(): this {
    if (this.#left === 0) return this;
    this.#turns.whenTurn(this, () => {
      this.#left--;
      this.#byTurn[turn] = (this.#byTurn[turn] ?? 0) + 1;
      this.#turns.took(this, this.#bytes);
      process.nextTick(() => this.begin()); // as a stream requests its next message
    });
    return this;
  }

  /** How many proceeded in each turn, except for the turns in which it started. */
  get byTurn(): number[] {
    return this.#byTurn.filter(Boolean).slice(2);
  }
}

let turn = 0;

async function turnsPass(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    turn++;
    await nextTurn();
  }
}

test("a turn processes a limited number of bytes, however many wait", async () => {
  const turns = new ReceiveTurns(TURN_BYTES);
  const greedy = new Sender(turns, 1000, 64 * KIB).begin();
  await turnsPass(10);
  const most = Math.ceil(TURN_BYTES / (64 * KIB + REQUEST_COST_BYTES));
  expect(Math.max(...greedy.byTurn)).toBe(most);
  expect(greedy.byTurn.length).toBeGreaterThan(6);
});

test("connections that share a turn process no more in total than one alone", async () => {
  const turns = new ReceiveTurns(TURN_BYTES);
  const senders = Array.from({ length: 8 }, () => new Sender(turns, 1000, 16 * KIB).begin());
  await turnsPass(10);
  const counts = senders.flatMap(({ byTurn }) => byTurn);
  expect(Math.max(...counts)).toBe(1); // with its fixed cost, a request is an eighth of the turn
  expect(counts.length).toBeGreaterThan(8 * 6);
});

test("short requests count for more than their bytes", async () => {
  const turns = new ReceiveTurns(TURN_BYTES);
  const greedy = new Sender(turns, 10_000, 10).begin();
  await turnsPass(10);
  expect(Math.max(...greedy.byTurn)).toBeLessThanOrEqual(TURN_BYTES / REQUEST_COST_BYTES);
});

test("connections have equal shares of the bytes, whatever the length of their requests", async () => {
  const turns = new ReceiveTurns(TURN_BYTES);
  const large = [new Sender(turns, 10_000, 48 * KIB).begin(), new Sender(turns, 10_000, 48 * KIB).begin()];
  const small = new Sender(turns, 10_000, 0).begin();
  await turnsPass(40);
  const sum = ({ byTurn }: Sender) => byTurn.reduce((a, b) => a + b, 0);
  expect(sum(large[0]!) / sum(large[1]!)).toBeCloseTo(1, 1);
  // A cost of 64 KiB compared with 16 KiB: from two to four times as many, because the last one may
  // exceed the share.
  expect(sum(small) / sum(large[0]!)).toBeGreaterThan(2);
  expect(sum(small) / sum(large[0]!)).toBeLessThan(5);
});

test("a new request proceeds at once while a greedy connection waits", async () => {
  const turns = new ReceiveTurns(TURN_BYTES);
  new Sender(turns, 100_000, 256 * KIB).begin();
  for (let i = 0; i < 5; i++) {
    await nextTurn();
    let isServed = false;
    turns.whenTurn({}, () => (isServed = true));
    expect(isServed).toBe(true);
  }
});

test("requests of one connection proceed in the order of arrival, whatever their stream", async () => {
  const turns = new ReceiveTurns(TURN_BYTES);
  const connection = {};
  const order: number[] = [];
  turns.took(connection, TURN_BYTES);
  for (let i = 0; i < 100; i++) turns.whenTurn(connection, () => order.push(i));
  expect(order).toEqual([]);
  await turnsPass(20);
  expect(order).toEqual(Array.from({ length: 100 }, (_, i) => i));
});

test("a cancelled wait is not called, and delays no other", async () => {
  const turns = new ReceiveTurns(TURN_BYTES);
  const connection = {};
  const order: string[] = [];
  turns.took(connection, TURN_BYTES);
  const leave = turns.whenTurn(connection, () => order.push("left"));
  turns.whenTurn(connection, () => order.push("stayed"));
  leave();
  await turnsPass(2);
  expect(order).toEqual(["stayed"]);
});
