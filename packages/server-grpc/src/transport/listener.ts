/**
 * The listening socket. It is ours, not grpc-js's, which would hide why it cannot listen and would not tell which connections
 * are its own; grpc-js gets each connection as it comes.
 */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

export class Listener {
  readonly #server: Server;
  readonly #connections = new Map<string, Socket>();
  #acceptedCount = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws the system's error (EADDRINUSE, EACCES, ENOTFOUND, …) where it cannot listen */
  static listen(host: string, port: number, onConnection: (socket: Socket) => void): Promise<Listener> {
    const server = createServer((socket) => {
      const key = connectionKey(socket);
      listener.#connections.set(key, socket);
      listener.#acceptedCount++;
      socket.once("close", () => listener.#connections.delete(key));
      onConnection(socket);
    });
    const listener = new Listener(server);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        // One connection that could not be taken in is the peer's trouble, not the end of the server.
        server.on("error", () => {});
        resolve(listener);
      });
    });
  }

  /** "127.0.0.1:7411", "[::1]:7411" */
  get address(): string {
    const { address, family, port } = this.#server.address() as AddressInfo;
    return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
  }

  get openCount(): number {
    return this.#connections.size;
  }

  /** Since it listens. */
  get acceptedCount(): number {
    return this.#acceptedCount;
  }

  /** Whether this is a view of a connection that came in here, like the one that an HTTP/2 session gives. */
  accepted(socket: Endpoints): boolean {
    return this.#connections.has(connectionKey(socket));
  }

  /** Takes no more connections; resolves when those that there are have ended. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  /** Ends all connections at once. */
  destroyConnections(): void {
    for (const socket of this.#connections.values()) socket.destroy();
  }
}

type Endpoints = Pick<Socket, "localAddress" | "localPort" | "remoteAddress" | "remotePort">;

/** The two ends of a TCP connection: at any time no other one has the same. */
function connectionKey({ localAddress, localPort, remoteAddress, remotePort }: Endpoints): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
