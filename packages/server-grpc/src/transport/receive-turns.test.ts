import { expect, test } from "vitest";
import { REQUEST_COST_BYTES, ReceiveTurns } from "./receive-turns.js";

const KIB = 1024;
const TURN_BYTES = 256 * KIB;

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/**
 * A connection that has requests of one length waiting, and what it has had of them in each turn.
 */
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
      process.nextTick(() => this.begin()); // as a stream asks for its next message
    });
    return this;
  }

  /** How many went on in each turn, but for those in which it began. */
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

test("a turn has so many bytes of requests and no more, however many wait", async () => {
  const turns = new ReceiveTurns(TURN_BYTES);
  const greedy = new Sender(turns, 1000, 64 * KIB).begin();
  await turnsPass(10);
  const most = Math.ceil(TURN_BYTES / (64 * KIB + REQUEST_COST_BYTES));
  expect(Math.max(...greedy.byTurn)).toBe(most);
  expect(greedy.byTurn.length).toBeGreaterThan(6);
});

test("connections that share a turn have no more in all than one alone", async () => {
  const turns = new ReceiveTurns(TURN_BYTES);
  const senders = Array.from({ length: 8 }, () => new Sender(turns, 1000, 16 * KIB).begin());
  await turnsPass(10);
  const counts = senders.flatMap(({ byTurn }) => byTurn);
  expect(Math.max(...counts)).toBe(1); // with its cost, a request is an eighth of the turn
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
  // 64 KiB of cost against 16: from two to four times as many, since the last one may go beyond the
  // share.
  expect(sum(small) / sum(large[0]!)).toBeGreaterThan(2);
  expect(sum(small) / sum(large[0]!)).toBeLessThan(5);
});

test("one that comes while a greedy one waits goes on at once", async () => {
  const turns = new ReceiveTurns(TURN_BYTES);
  new Sender(turns, 100_000, 256 * KIB).begin();
  for (let i = 0; i < 5; i++) {
    await nextTurn();
    let isServed = false;
    turns.whenTurn({}, () => (isServed = true));
    expect(isServed).toBe(true);
  }
});

test("requests of one connection, on any of its streams, go on in the order in which they came", async () => {
  const turns = new ReceiveTurns(TURN_BYTES);
  const connection = {};
  const order: number[] = [];
  turns.took(connection, TURN_BYTES);
  for (let i = 0; i < 100; i++) turns.whenTurn(connection, () => order.push(i));
  expect(order).toEqual([]);
  await turnsPass(20);
  expect(order).toEqual(Array.from({ length: 100 }, (_, i) => i));
});

test("who does not wait any more is not called, and holds up nobody", async () => {
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
