/** Connections that never get as far as a call. */
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { CertificateAuthority, type KeyPair } from "../../../../packages/server-grpc/test/certificates.ts";
import { type Attack, onGuarded, type Target } from "../attack.ts";
import { hello } from "../frames.ts";
import type { Guard } from "../guard.ts";
import type { Told } from "../told.ts";
import { endsOf } from "../verdict.ts";

const YESTERDAY = new Date(Date.now() - 86_400_000);
const PATIENCE_MS = 10_000;

const refusal = (reason: RegExp) => ({ refused: "connection", reason }) satisfies Told;

/** Resolves when the server has closed the connection. */
async function ended(socket: TLSSocket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error("the connection was let in")), PATIENCE_MS);
  socket.once("close", () => resolve());
  await promise.finally(() => clearTimeout(timer));
}

/**
 * An invalid TLS connection: the server closes it, before or after the handshake appears complete.
 */
function overTls(
  name: string,
  reason: RegExp,
  optionsOf: (guard: Guard) => ConnectionOptions | Promise<ConnectionOptions>,
  then: (socket: TLSSocket) => void = () => {},
): Attack {
  return onGuarded(name, refusal(reason), async ({ port, onEnd }, guard) => {
    const { cert: ca } = guard.ca;
    const options = {
      host: "127.0.0.1",
      servername: "localhost",
      port,
      ca,
      ALPNProtocols: ["h2"],
      ...(await optionsOf(guard)),
    };
    const socket = connect(options, () => then(socket)).on("error", () => {});
    onEnd(() => socket.destroy());
    socket.resume();
    await ended(socket);
    return "1 connection: 1 closed";
  });
}

/** Bytes on many connections at once whose handshake never completes. */
function overTcp(name: string, count: number, told: Told, bytesOf: (target: Target) => Uint8Array): Attack {
  return onGuarded(name, told, async (target) => {
    const connections = await Promise.all(Array.from({ length: count }, target.connect));
    await Promise.all(connections.map((connection) => connection.write(bytesOf(target))));
    await Promise.all(connections.map((connection) => connection.closedWithin(1_000)));
    const ends = endsOf(connections);
    // Connections that stay open would be logged after 10 s, or when they close.
    for (const connection of connections) connection.close();
    return ends;
  });
}

const certificate = (name: string, reason: RegExp, issue: (guard: Guard) => Promise<KeyPair>) =>
  overTls(name, reason, issue);

/** The start of a TLS record that announces a ClientHello, and that many bytes of it. */
const clientHello = (length: number) => Buffer.from([0x16, 3, 1, length >> 8, length & 0xff, 1, 0, 1, 0xfc, 3, 3]);

export const handshakes: readonly Attack[] = [
  certificate("client certificate of another CA", /certificate is not valid: /, async () =>
    (await CertificateAuthority.create("Another CA")).issue(["owner"]),
  ),
  certificate("client certificate of another CA with the same name", /certificate is not valid: /, async () =>
    (await CertificateAuthority.create()).issue(["owner"]),
  ),
  certificate("expired client certificate", /certificate is not valid: CERT_HAS_EXPIRED/, ({ ca }) =>
    ca.issue(["owner"], { notAfter: YESTERDAY }),
  ),
  certificate("self-signed client certificate", /certificate is not valid: DEPTH_ZERO_SELF_SIGNED_CERT/, () =>
    CertificateAuthority.selfSigned("owner"),
  ),
  overTls("TLS 1.1", /no TLS handshake: ERR_SSL_/, () => ({
    minVersion: "TLSv1.1",
    maxVersion: "TLSv1.1",
    ciphers: "DEFAULT@SECLEVEL=0",
  })),
  overTls("TLS for HTTP/1.1", /no TLS handshake: ERR_SSL_NO_APPLICATION_PROTOCOL/, () => ({
    ALPNProtocols: ["http/1.1"],
  })),
  overTls("TLS without ALPN", /does not speak HTTP\/2/, () => ({ ALPNProtocols: [] })),
  overTls(
    "TLS 1.2, renegotiated",
    /requested a renegotiation/,
    () => ({ maxVersion: "TLSv1.2" }),
    (socket) => void socket.renegotiate({}, () => {}),
  ),
  overTcp("HTTP/2 without TLS, to the TLS port", 1, refusal(/no TLS handshake: ERR_SSL_/), () => hello),
];

export const manyHandshakes: readonly Attack[] = [
  overTcp("200 ClientHellos of random bytes", 200, { ...refusal(/no TLS handshake: /), lines: "some" }, ({ random }) =>
    Buffer.concat([clientHello(400), Buffer.from(Array.from({ length: 400 }, () => random() * 256))]),
  ),
  overTcp("300 unfinished TLS handshakes", 300, { ...refusal(/no TLS handshake: /), lines: "some" }, () =>
    clientHello(500),
  ),
];
