/** A small web site, which logs every access. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Producer } from "@logstore/client";
import type { Access } from "./access.ts";

const SLOW_MS = 20;

/** The content of each path; a function that throws causes a server error. */
const pages: Record<string, (url: URL) => string | Promise<string>> = {
  "/": () => "<h1>Welcome</h1>",
  "/primes": ({ searchParams }) => primesUpTo(Number(searchParams.get("to"))).join(" "),
  "/report": () => sleep(SLOW_MS * (1 + Math.random()), "a long story"),
  "/quotient": ({ searchParams }) => String(1n / BigInt(searchParams.get("by") ?? 1)),
};

export function createSite(log: Producer<Access>): Server {
  return createServer(async (request, response) => {
    const arrivedAt = performance.now();
    const url = new URL(request.url ?? "/", "http://localhost");
    const { status, body } = await answer(url);
    response.writeHead(status).end(body);
    response.once("finish", () => {
      const durationUs = Math.round((performance.now() - arrivedAt) * 1000);
      const value = { path: url.pathname, status, durationUs };
      log.send({ key: clientOf(request), value }).catch(console.error); // the response does not wait for the log
    });
  });
}

async function answer(url: URL): Promise<{ status: number; body: string }> {
  try {
    const page = pages[url.pathname];
    return page === undefined ? { status: 404, body: "not here" } : { status: 200, body: await page(url) };
  } catch {
    return { status: 500, body: "our fault" };
  }
}

/** The client address that a proxy in front of the site reports. */
function clientOf({ headers, socket }: IncomingMessage): string {
  return String(headers["x-forwarded-for"] ?? socket.remoteAddress);
}

function primesUpTo(last: number): number[] {
  const primes: number[] = [];
  for (let n = 2; n <= last; n++) if (!primes.some((prime) => n % prime === 0)) primes.push(n);
  return primes;
}
