/** The visitors: clients that request one page after another, and count the responses. */
import { setTimeout as sleep } from "node:timers/promises";

const CLIENTS = 40;
const REQUESTS_EACH = 100;
const PAUSE_MS = 60;
const LINKS = [
  "/",
  "/",
  "/",
  "/primes?to=500",
  "/primes?to=3000",
  "/report",
  "/quotient?by=2",
  "/quotient?by=0",
  "/gone",
];

export const REQUESTS = CLIENTS * REQUESTS_EACH;

/**
 * Resolves when all visitors are done, to the number of responses by path and status: "/report
 * 200".
 */
export async function visit(address: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const client = async (number: number) => {
    const headers = { "x-forwarded-for": `10.0.0.${number}` };
    for (let i = 0; i < REQUESTS_EACH; i++) {
      const link = LINKS[Math.floor(Math.random() * LINKS.length)]!;
      const response = await fetch(`${address}${link}`, { headers });
      await response.arrayBuffer();
      const what = `${link.split("?")[0]} ${response.status}`;
      counts.set(what, (counts.get(what) ?? 0) + 1);
      await sleep(PAUSE_MS * Math.random());
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
  return counts;
}
