/**
 * Relays between a client and a server, and can stop reading from the server, like a peer that does
 * not read its socket.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface Relay {
  readonly address: string;
  /** Stops reading from the server; data of the client is still forwarded. */
  stopReading(): void;
  readOn(): void;
}

export async function relayTo(address: string): Promise<Relay> {
  const [host, port] = address.split(":");
  const upstreams = new Set<Socket>();
  const server = createServer((downstream) => {
    const upstream = connect(Number(port), host);
    upstreams.add(upstream);
    upstream.on("close", () => upstreams.delete(upstream));
    for (const [from, to] of [
      [downstream, upstream],
      [upstream, downstream],
    ] as const) {
      from.on("data", (data) => void to.write(data));
      from.on("error", () => {});
      from.on("close", () => to.destroy());
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const upstream of upstreams) upstream.destroy();
    server.close();
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stopReading() {
      for (const upstream of upstreams) upstream.pause();
    },
    readOn() {
      for (const upstream of upstreams) upstream.resume();
    },
  };
}
