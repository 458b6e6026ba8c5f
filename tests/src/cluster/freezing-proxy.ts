/** Passes bytes on between a client and a server until it is frozen: from then on it is silent. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export class FreezingProxy {
  readonly address: string;
  readonly #sockets: Set<Socket>;
  #isFrozen = false;

  private constructor(address: string, sockets: Set<Socket>) {
    this.address = address;
    this.#sockets = sockets;
  }

  static async before(address: string): Promise<FreezingProxy> {
    const sockets = new Set<Socket>();
    const [host, port] = address.split(":");
    const server = createServer((from) => {
      sockets.add(from.on("error", () => {}));
      if (proxy.#isFrozen) return;
      const to = connect(Number(port), host);
      sockets.add(to.on("error", () => {}));
      from.pipe(to).pipe(from);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const proxy = new FreezingProxy(`127.0.0.1:${(server.address() as { port: number }).port}`, sockets);
    onTestFinished(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return proxy;
  }

  freeze(): void {
    this.#isFrozen = true;
    for (const socket of this.#sockets) socket.unpipe().pause();
  }
}
