import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { CertificateAuthority } from "../../test/certificates.js";
import { failure } from "../../test/foreign-client.js";
import { eventually } from "../../test/home.js";
import { tlsHome } from "../../test/tls-home.js";
import { serve } from "../server.js";
import { RECEIVE_WINDOW_BYTES } from "./limits.js";
import { Listener } from "./listener.js";
import { TlsFiles } from "./tls-files.js";

const UNAVAILABLE = 14;
const EXPIRED = { notAfter: new Date(Date.now() - 3_600_000) };

/** Resolves when the peer has closed the socket, in whatever way. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) =>
    quietly(socket)
      .resume()
      .on("close", () => resolve()),
  );
}

function quietly(socket: Socket): Socket {
  return socket.on("error", () => {});
}

function where(address: string) {
  const [host, port] = address.split(":");
  return { host: host!, port: Number(port) };
}

test("calls are answered over TLS, and only over TLS", async () => {
  const { client, server, refusals } = await tlsHome();
  expect(await client().call("DescribeTopic", { topic: "t" })).toMatchObject({ topic: { topic: "t" } });
  expect(refusals).toEqual([]);

  const stranger = quietly(connectTcp(where(server.address)));
  stranger.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  await closed(stranger);
  expect(refusals).toMatchObject([{ refused: "connection", reason: expect.stringContaining("no TLS handshake") }]);
});

test("a server whose certificate is from another CA is not trusted", async () => {
  const { client } = await tlsHome();
  const other = await CertificateAuthority.create();
  expect((await failure(client({ ca: other.cert }).call("ListTopics", {}))).code).toBe(UNAVAILABLE);
});

test("TLS 1.1 and protocols other than HTTP/2 are refused", async () => {
  const { server, refusals } = await tlsHome();
  const options = { ...where(server.address), rejectUnauthorized: false };
  const old = connectTls({ ...options, maxVersion: "TLSv1.1", minVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" });
  await closed(old);
  const http1 = connectTls({ ...options, ALPNProtocols: ["http/1.1"] });
  await closed(http1);
  const silent = connectTls(options);
  await closed(silent);
  await eventually(() => refusals.length === 3);
  expect(refusals[2]!.reason).toBe("it does not speak HTTP/2 over TLS");
});

test("receive windows are as large over TLS", async () => {
  const { server, ca, client } = await tlsHome();
  await client().call("ListTopics", {});
  const session = connectHttp2(`https://${server.address}`, { ca: ca.cert });
  const stream = session.request({ ":method": "POST", ":path": "/", "content-type": "application/grpc" });
  stream.resume().end();
  await once(stream, "close");
  await new Promise((resolve) => session.ping(resolve));
  expect(session.remoteSettings.initialWindowSize).toBe(RECEIVE_WINDOW_BYTES);
  session.close();
  await once(session, "close");
});

test.each(["optional", "required"] as const)("client certificates, %s", async (clientCertificates) => {
  const { client, ca, refusals } = await tlsHome({ clientCertificates });
  const other = await CertificateAuthority.create();
  const good = client({ pair: await ca.issue(["billing"]) });
  expect((await good.call("ListTopics", {})).topics).toHaveLength(1);

  const wrong = [await other.issue(["billing"]), await ca.issue(["billing"], EXPIRED)];
  for (const pair of wrong) {
    expect((await failure(client({ pair }).call("ListTopics", {}))).code).toBe(UNAVAILABLE);
  }
  const reasons = refusals.map(({ reason }) => reason).join("\n");
  expect(reasons).toContain("not valid: CERT_SIGNATURE_FAILURE");
  expect(reasons).toContain("not valid: CERT_HAS_EXPIRED");

  const none = client().call("ListTopics", {});
  if (clientCertificates === "optional") expect((await none).topics).toHaveLength(1);
  else expect((await failure(none)).code).toBe(UNAVAILABLE);
});

test("sessions are not resumed, because their certificate would not be verified again", async () => {
  const { server, ca } = await tlsHome();
  const options = { ...where(server.address), ca: ca.cert, ALPNProtocols: ["h2"] };
  const sessions: Buffer[] = [];
  const first = connectTls({ ...options, maxVersion: "TLSv1.2" });
  first.on("session", (session) => sessions.push(session));
  await once(first, "secureConnect");
  first.destroy();
  const session = sessions[0] ?? first.getSession();
  const again = connectTls({ ...options, maxVersion: "TLSv1.2", ...(session && { session }) });
  await once(again, "secureConnect");
  expect(again.isSessionReused()).toBe(false);
  again.destroy();
});

test("a new certificate is used as soon as its files exist, while old streams continue", async () => {
  const { server, ca, client, files, api, warnings } = await tlsHome();
  const first = await Promise.all(["cert.pem", "key.pem"].map((name) => readFile(files.path(name), "utf8")));
  const old = client();
  const stream = old.consume({ topic: "t" });
  const events = stream[Symbol.asyncIterator]();
  await events.next();
  const { cert, key } = await ca.issue(["renewed"]);
  await files.write("key.pem", key);
  await files.write("cert.pem", cert);
  await eventuallyServes("renewed");
  expect(api.consumers).toMatchObject([{ ended: false }]);
  await old.call("ListTopics", {});
  stream.on("error", () => {});
  stream.cancel();

  const broken = await ca.issue(["broken"]);
  await files.write("cert.pem", broken.cert);
  await eventually(() => warnings.length > 0);
  expect(warnings[0]).toContain("could not be reloaded");
  await expect(server.reloadCertificates()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  expect(await servedName()).toBe("renewed");
  await files.write("key.pem", broken.key);
  await server.reloadCertificates();
  expect(await servedName()).toBe("broken");
  await files.write("cert.pem", first[0]!);
  await files.write("key.pem", first[1]!);
  await server.reloadCertificates();
  expect(await servedName()).toBe("server");

  async function eventuallyServes(name: string): Promise<void> {
    while ((await servedName()) !== name) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  async function servedName(): Promise<unknown> {
    const socket = connectTls({ ...where(server.address), ca: ca.cert, ALPNProtocols: ["h2"] });
    await once(socket, "secureConnect");
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return CN;
  }
});

test("after a change of client CAs, clients with certificates of the old ones have to reconnect", async () => {
  const { server, ca, client, files } = await tlsHome({ clientCertificates: "optional" });
  const certified = client({ pair: await ca.issue(["billing"]) });
  const uncertified = client();
  const stream = certified.consume({ topic: "t" });
  const ended = new Promise<Error>((resolve) => stream.on("error", resolve));
  stream.resume();
  await once(stream, "data");
  const other = uncertified.consume({ topic: "t" });
  await once(other, "data");
  await files.write("ca.pem", (await CertificateAuthority.create("Other CA")).cert);
  await server.reloadCertificates();
  expect(await ended).toMatchObject({ code: UNAVAILABLE });
  expect((await failure(certified.call("ListTopics", {}))).code).toBe(UNAVAILABLE);
  expect((await uncertified.call("ListTopics", {})).topics).toHaveLength(1);
  other.on("error", () => {});
  other.cancel();
});

test.each([
  [{ certFile: "nowhere.pem" }, "tls.certFile"],
  [{ keyFile: "other.pem" }, "tls.keyFile"],
  [{ certFile: "empty.pem" }, "contains no certificate"],
  [{ clientCertificates: "required" as const, clientCaFile: undefined }, "tls.clientCaFile"],
  [{ clientCertificates: "optional" as const, clientCaFile: "empty.pem" }, "contains no certificate"],
])("files that do not fit are named: %o", async (changes, named) => {
  const { api, files, ca } = await tlsHome();
  await files.write("other.pem", (await ca.issue(["other"])).key);
  await files.write("empty.pem", "\n");
  const paths = { certFile: "cert.pem", keyFile: "key.pem", clientCaFile: "ca.pem" as string | undefined, ...changes };
  const tls = {
    ...paths,
    certFile: files.path(paths.certFile),
    keyFile: files.path(paths.keyFile),
    clientCaFile: paths.clientCaFile && files.path(paths.clientCaFile),
  };
  await expect(serve(api, { port: 0, tls })).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    message: expect.stringContaining(named),
  });
});

test("other machines are admitted only with TLS and access control, or on explicit request", async () => {
  const { api, files } = await tlsHome();
  const tls = { certFile: files.path("cert.pem"), keyFile: files.path("key.pem") };
  const access = { rules: [] };
  for (const options of [{}, { tls }, { access }]) {
    const refused = serve(api, { host: "0.0.0.0", port: 0, ...options });
    await expect(refused).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  }
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  await (await serve(api, { host: "0.0.0.0", port: 0, tls, access, onWarning })).stop();
  expect(warnings).toEqual([]);
  await (await serve(api, { host: "0.0.0.0", port: 0, insecure: true, onWarning })).stop();
  expect(warnings).toEqual([expect.stringMatching(/nothing is encrypted.*everybody/)]);
});

test("connections above the limit are refused and reported", async () => {
  const { server, client, refusals } = await tlsHome({ maxConnections: 1 });
  const first = client();
  await first.call("ListTopics", {});
  const second = quietly(connectTcp(where(server.address)));
  await closed(second);
  expect(refusals).toMatchObject([{ refused: "connection", reason: "too many connections" }]);
  expect((await first.call("ListTopics", {})).topics).toHaveLength(1);
});

test("an incomplete handshake and a connection without a call are closed", async () => {
  const { ca, files } = await tlsHome();
  const reasons: string[] = [];
  let taken = 0;
  const options = {
    host: "127.0.0.1",
    port: 0,
    handshakeTimeoutMs: 500,
    firstCallTimeoutMs: 500,
    onConnection: () => void taken++,
    onRefused: (_peer: string, reason: string) => void reasons.push(reason),
  };
  const tls = await TlsFiles.load({ certFile: files.path("cert.pem"), keyFile: files.path("key.pem") });
  const [secure, plain] = [await Listener.listen({ ...options, tls }), await Listener.listen(options)];
  onTestFinished(async () => void (await Promise.all([secure.close(), plain.close()])));

  const loris = quietly(connectTcp(where(secure.address)));
  await closed(loris);
  expect([taken, reasons]).toEqual([0, ["no TLS handshake: ERR_TLS_HANDSHAKE_TIMEOUT"]]);
  const idle = connectTls({ ...where(secure.address), ca: ca.cert, ALPNProtocols: ["h2"] });
  await closed(idle);
  const silent = quietly(connectTcp(where(plain.address)));
  await closed(silent);
  expect([taken, reasons.length]).toEqual([2, 3]);
  expect(reasons[2]).toBe("no call was made within 500 ms");
});

test("a stop does not wait for handshakes", async () => {
  const { server } = await tlsHome({ drainTimeoutMs: 600_000 });
  const loris = quietly(connectTcp(where(server.address)));
  await once(loris, "connect");
  loris.resume();
  await server.stop();
});
