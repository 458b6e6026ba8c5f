/** Performs TLS handshakes on accepted sockets before gRPC sees a connection. */
import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type PeerCertificate, type Server, type TLSSocket } from "node:tls";
import type { TlsFiles, TlsMaterial } from "./tls-files.js";

export interface TlsHandshakeOptions {
  /** A handshake that takes longer is refused, in ms. */
  readonly timeoutMs: number;
  /** Called with the socket to use from then on, and the verified certificate of its peer. */
  readonly onSecure: (socket: TLSSocket, certificate: PeerCertificate | undefined) => void;
  /** Called once for each socket that is refused; the callee destroys it. */
  readonly onRefused: (socket: Socket, reason: string) => void;
}

/**
 * Session tickets are off: a resumed session keeps the certificate that was verified when the
 * session began, whatever has happened to it and to the CAs since. Connections are long-lived here,
 * so that a full handshake for each costs little.
 */
const secureContext = { minVersion: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET } as const;

export class TlsHandshakes {
  /** This server does not listen; it is given accepted sockets. */
  readonly #server: Server;
  readonly #options: TlsHandshakeOptions;

  constructor({ material, options: { clientCertificates = "none" } }: TlsFiles, options: TlsHandshakeOptions) {
    this.#options = options;
    this.#server = createServer({
      ...secureContext,
      ...material,
      ALPNProtocols: ["h2"],
      handshakeTimeout: options.timeoutMs,
      requestCert: clientCertificates !== "none",
      // An invalid certificate is refused in #secured, where the reason can be reported.
      rejectUnauthorized: false,
    });
    this.#server.on("secureConnection", (socket) => this.#secured(socket, clientCertificates === "required"));
    this.#server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) =>
      options.onRefused(socket, `no TLS handshake: ${error.code ?? error.message}`),
    );
  }

  begin(socket: Socket): void {
    this.#server.emit("connection", socket);
  }

  /** Later handshakes use this material; open connections are not affected. */
  renew(material: TlsMaterial): void {
    this.#server.setSecureContext({ ...secureContext, ...material });
  }

  #secured(socket: TLSSocket, certificateRequired: boolean): void {
    socket.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (code === "ERR_TLS_RENEGOTIATION_DISABLED") this.#options.onRefused(socket, "it requested a renegotiation");
    });
    socket.disableRenegotiation();
    const reason = refusalOf(socket, certificateRequired);
    if (reason === undefined) this.#options.onSecure(socket, certificateOf(socket));
    else this.#options.onRefused(socket, reason);
  }
}

function refusalOf(socket: TLSSocket, certificateRequired: boolean): string | undefined {
  if (socket.alpnProtocol !== "h2") return "it does not speak HTTP/2 over TLS";
  const shown = certificateOf(socket);
  if (!shown) return certificateRequired ? "it showed no client certificate" : undefined;
  return socket.authorized ? undefined : `its client certificate is not valid: ${socket.authorizationError}`;
}

function certificateOf(socket: TLSSocket): PeerCertificate | undefined {
  const certificate = socket.getPeerCertificate();
  return certificate?.raw ? certificate : undefined; // Node returns an empty object for none
}
