/** A web site that writes a record for each request that it has answered. */
import { createServer, type Server } from "node:http";
import type { Producer } from "@logstore/client";
import type { Statistics } from "./statistics.ts";

export interface Access {
  readonly path: string;
  readonly status: number;
  readonly durationMs: number;
}

export const TOPIC = "accesses";

export function createSite(accesses: Producer<Access>, statistics: Statistics): Server {
  return createServer((request, response) => {
    const begun = performance.now();
    const [pathname = "/"] = (request.url ?? "/").split("?", 1);
    response.once("close", () => {
      const durationMs = Math.round(performance.now() - begun);
      const access = { path: pathname, status: response.statusCode, durationMs };
      // The answer does not wait for the log.
      accesses.send({ key: pathname, value: access }).catch((error: unknown) => console.error("not logged:", error));
    });
    if (pathname === "/") {
      response.end("hello\n");
    } else if (pathname === "/statistics") {
      response.setHeader("content-type", "application/json").end(JSON.stringify(statistics.report()));
    } else {
      response.writeHead(404).end("not found\n");
    }
  });
}
