/**
 * The listening socket. It belongs to this package rather than to grpc-js, which would hide why it
 * cannot listen and which connections are its own; grpc-js is given each accepted connection. TLS
 * is handled here, too; see docs/decisions/0013-tls-in-our-own-listener.md.
 */
import { type AddressInfo, createServer, type DropArgument, type Server, type Socket } from "node:net";
import type { PeerCertificate } from "node:tls";
import { Connection, peerOf } from "./connection.js";
import { Connections } from "./connections.js";
import { defaultPerAddress, FIRST_CALL_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS, MAX_CONNECTIONS } from "./limits.js";
import { sliceLeft } from "./slices.js";
import { SocketCounts } from "./socket-counts.js";
import type { TlsFiles, TlsMaterial } from "./tls-files.js";
import { TlsHandshakes } from "./tls-handshakes.js";

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: TlsFiles | undefined;
  /** The registry of accepted connections. Default: a new one. */
  readonly connections?: Connections | undefined;
  readonly maxConnections?: number | undefined;
  readonly maxConnectionsPerAddress?: number | undefined;
  readonly handshakeTimeoutMs?: number | undefined;
  readonly firstCallTimeoutMs?: number | undefined;
  /** Returns why a connection is refused; undefined accepts it. */
  readonly refuse?: ((connection: Connection) => string | undefined) | undefined;
  readonly onConnection: (socket: Socket) => void;
  /** Called once for each connection that is refused, or destroyed after it was accepted. */
  readonly onRefused: (peer: string, reason: string) => void;
}

export class Listener {
  readonly #server: Server;
  readonly #handshakes: TlsHandshakes | undefined;
  readonly #options: ListenOptions;
  readonly #connections: Connections;
  /** All sockets, including those in a handshake. */
  readonly #sockets = new Set<Socket>();
  readonly #byAddress: SocketCounts;

  private constructor(options: ListenOptions) {
    this.#options = options;
    this.#connections = options.connections ?? new Connections();
    const { maxConnections = MAX_CONNECTIONS } = options;
    this.#byAddress = new SocketCounts(options.maxConnectionsPerAddress ?? defaultPerAddress(maxConnections));
    this.#handshakes =
      options.tls &&
      new TlsHandshakes(options.tls, {
        timeoutMs: options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS,
        onSecure: (socket, certificate) => this.#accept(socket, certificate),
        onRefused: (socket, reason) => this.#refuse(socket, reason),
      });
    this.#server = createServer((socket) => this.#connected(socket));
    this.#server.maxConnections = maxConnections;
    this.#server.on("drop", (peer?: DropArgument) => options.onRefused(peerOf(peer ?? {}), "too many connections"));
  }

  /** @throws the system's error (EADDRINUSE, EACCES, ENOTFOUND, …) if it cannot listen */
  static listen(options: ListenOptions): Promise<Listener> {
    const listener = new Listener(options);
    const server = listener.#server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(options.port, options.host, () => {
        server.off("error", reject);
        server.on("error", () => {}); // a connection that cannot be accepted must not end the server
        resolve(listener);
      });
    });
  }

  /** "127.0.0.1:7411", "[::1]:7411" */
  get address(): string {
    const { address, family, port } = this.#server.address() as AddressInfo;
    return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
  }

  /** Later handshakes use this material; open connections are not affected. */
  renewTls(material: TlsMaterial): void {
    this.#handshakes?.renew(material);
  }

  /** Accepts no more connections; resolves when the open ones have ended. */
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // Sockets in a handshake are closed at once.
    for (const socket of this.#sockets) if (this.#connections.of(socket) === undefined) socket.destroy();
    return closed;
  }

  /** Destroys all connections. */
  destroyConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #connected(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {}); // the user of the socket handles it
    if (!this.#byAddress.add(socket)) this.#refuse(socket, "too many connections from its address");
    else if (this.#handshakes) this.#handshakes.begin(socket);
    else this.#accept(socket, undefined);
  }

  #accept(socket: Socket, certificate: PeerCertificate | undefined): void {
    const unusedMs = this.#options.firstCallTimeoutMs ?? FIRST_CALL_TIMEOUT_MS;
    const connection = new Connection(socket, certificate, unusedMs, () =>
      this.#refuse(socket, `no call was made within ${unusedMs} ms`),
    );
    const reason = this.#options.refuse?.(connection);
    if (reason !== undefined) {
      this.#refuse(socket, reason);
      return;
    }
    this.#connections.add(socket, connection);
    void this.#handOn(socket);
  }

  /**
   * Hundreds of peers may connect in one turn of the event loop, and creating an HTTP/2 session
   * takes long.
   */
  async #handOn(socket: Socket): Promise<void> {
    await sliceLeft();
    if (!socket.destroyed) this.#options.onConnection(socket);
  }

  #refuse(socket: Socket, reason: string): void {
    const connection = this.#connections.of(socket);
    if (connection) connection.isRefused = true;
    this.#options.onRefused(peerOf(socket), reason);
    socket.destroy();
  }
}
