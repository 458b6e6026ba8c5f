/**
 * The listening socket. It is ours, not grpc-js's, which would hide why it cannot listen and would
 * not tell which connections are its own; grpc-js gets each connection as it comes. TLS is done
 * here too, before that: see docs/decisions/0013-tls-in-our-own-listener.md.
 */
import { constants } from "node:crypto";
import { type AddressInfo, createServer, type DropArgument, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from "node:tls";
import { Connection, peerOf } from "./connection.js";
import { defaultPerAddress, FIRST_CALL_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS, MAX_CONNECTIONS } from "./limits.js";
import { sliceLeft } from "./slices.js";
import { SocketCounts } from "./socket-counts.js";
import type { TlsFiles, TlsMaterial } from "./tls-files.js";

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: TlsFiles | undefined;
  readonly maxConnections?: number | undefined;
  readonly maxConnectionsPerAddress?: number | undefined;
  readonly handshakeTimeoutMs?: number | undefined;
  readonly firstCallTimeoutMs?: number | undefined;
  /** Why a connection is not to be taken in, if so. */
  readonly refuse?: ((connection: Connection) => string | undefined) | undefined;
  readonly onConnection: (socket: Socket) => void;
  /** Told once of each connection that was not taken in, or was thrown out again. */
  readonly onRefused: (peer: string, reason: string) => void;
}

export class Listener {
  readonly #server: Server;
  /** Does the handshakes; it does not listen. */
  readonly #tlsServer: TlsServer | undefined;
  readonly #options: ListenOptions;
  /** Every socket, also those that are not connections yet. */
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Map<string, Connection>();
  readonly #byAddress: SocketCounts;
  #acceptedCount = 0;

  private constructor(options: ListenOptions) {
    this.#options = options;
    const { maxConnections = MAX_CONNECTIONS } = options;
    this.#byAddress = new SocketCounts(options.maxConnectionsPerAddress ?? defaultPerAddress(maxConnections));
    this.#tlsServer = options.tls && this.#createTlsServer(options.tls);
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = maxConnections;
    this.#server.on("drop", (peer?: DropArgument) => options.onRefused(peerOf(peer ?? {}), "too many connections"));
  }

  /** @throws the system's error (EADDRINUSE, EACCES, ENOTFOUND, …) where it cannot listen */
  static listen(options: ListenOptions): Promise<Listener> {
    const listener = new Listener(options);
    const server = listener.#server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(options.port, options.host, () => {
        server.off("error", reject);
        // One connection that could not be taken in is the peer's trouble, not the end of the
        // server.
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

  /**
   * The connection that this is a view of, like the one that an HTTP/2 session gives; undefined
   * where it is not one of ours.
   */
  connectionOf(socket: Endpoints): Connection | undefined {
    return this.#connections.get(connectionKey(socket));
  }

  /**
   * Connections made from now on use this; those that there are go on with what they began with.
   */
  renewTls(material: TlsMaterial): void {
    this.#tlsServer?.setSecureContext({ ...secureContext, ...material });
  }

  /** Ends the connections whose peers showed a certificate. */
  destroyCertified(): void {
    for (const connection of this.#connections.values()) if (connection.certificate) connection.destroy();
  }

  /** Takes no more connections; resolves when those that there are have ended. */
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // Nobody waits for a handshake to finish.
    const taken = new Set([...this.#connections.keys()]);
    for (const socket of this.#sockets) if (!taken.has(connectionKey(socket))) socket.destroy();
    return closed;
  }

  /** Ends all connections at once. */
  destroyConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {}); // the peer's trouble; who uses the socket hears of it, too
    if (!this.#byAddress.add(socket)) this.#throwOut(socket, "too many connections from its address");
    else if (this.#tlsServer) this.#tlsServer.emit("connection", socket);
    else this.#takeIn(socket);
  }

  #createTlsServer({ material, options }: TlsFiles): TlsServer {
    const { clientCertificates = "none" } = options;
    const server = createTlsServer({
      ...secureContext,
      ...material,
      ALPNProtocols: ["h2"],
      handshakeTimeout: this.#options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS,
      requestCert: clientCertificates !== "none",
      // Refused below, where it can be said why.
      rejectUnauthorized: false,
    });
    server.on("secureConnection", (socket) => {
      socket.on("error", ({ code }: NodeJS.ErrnoException) => {
        if (code === "ERR_TLS_RENEGOTIATION_DISABLED") this.#throwOut(socket, "it asked for another handshake");
      });
      socket.disableRenegotiation();
      const reason = this.#tlsRefusal(socket, clientCertificates === "required");
      if (reason === undefined) this.#takeIn(socket, certificateOf(socket));
      else this.#throwOut(socket, reason);
    });
    server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) =>
      this.#throwOut(socket, `no TLS handshake: ${error.code ?? error.message}`),
    );
    return server;
  }

  #tlsRefusal(socket: TLSSocket, certificateRequired: boolean): string | undefined {
    if (socket.alpnProtocol !== "h2") return "it does not speak HTTP/2 over TLS";
    const shown = certificateOf(socket);
    if (!shown) return certificateRequired ? "it showed no client certificate" : undefined;
    return socket.authorized ? undefined : `its client certificate is not valid: ${socket.authorizationError}`;
  }

  #takeIn(socket: Socket, certificate?: ReturnType<typeof certificateOf>): void {
    const unusedMs = this.#options.firstCallTimeoutMs ?? FIRST_CALL_TIMEOUT_MS;
    const connection = new Connection(socket, certificate, unusedMs, () =>
      this.#throwOut(socket, `no call was made on it within ${unusedMs} ms`),
    );
    const reason = this.#options.refuse?.(connection);
    if (reason !== undefined) {
      this.#throwOut(socket, reason);
      return;
    }
    const key = connectionKey(socket);
    this.#connections.set(key, connection);
    this.#acceptedCount++;
    socket.once("close", () => this.#connections.delete(key));
    void this.#handOn(socket);
  }

  /**
   * Hundreds may connect in one turn of the event loop, and an HTTP/2 session is long in the
   * making.
   */
  async #handOn(socket: Socket): Promise<void> {
    await sliceLeft();
    if (!socket.destroyed) this.#options.onConnection(socket);
  }

  #throwOut(socket: Socket, reason: string): void {
    const connection = this.connectionOf(socket);
    if (connection) connection.isRefused = true;
    this.#options.onRefused(peerOf(socket), reason);
    socket.destroy();
  }
}

/**
 * No session tickets: a resumed session brings along the certificate that was verified when it
 * began, whatever has become of it and of the CAs since. Connections here last long, and a whole
 * handshake each costs little.
 */
const secureContext = { minVersion: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET } as const;

function certificateOf(socket: TLSSocket) {
  const certificate = socket.getPeerCertificate();
  // An empty object where there is none.
  return certificate?.raw ? certificate : undefined;
}

export type Endpoints = {
  readonly [Name in "localAddress" | "localPort" | "remoteAddress" | "remotePort"]?: Socket[Name] | undefined;
};

/** The two ends of a TCP connection: at any time no other one has the same. */
function connectionKey({ localAddress, localPort, remoteAddress, remotePort }: Endpoints): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
