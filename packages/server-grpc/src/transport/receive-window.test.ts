import { once } from "node:events";
import { type ClientHttp2Session, connect, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { home } from "../../test/home.js";
import { RECEIVE_WINDOW_BYTES } from "./limits.js";

const HTTP2_DEFAULT = 65_535;

/** The window that a server grants each stream, once it has answered a request and everything said before it has arrived. */
async function grantedWindow(url: string): Promise<number | undefined> {
  const session = connect(url);
  await request(session);
  await new Promise((resolve) => session.ping(resolve));
  const window = session.remoteSettings.initialWindowSize;
  session.close();
  await once(session, "close");
  return window;
}

async function request(session: ClientHttp2Session): Promise<void> {
  const stream = session.request({ ":method": "POST", ":path": "/", "content-type": "application/grpc" });
  stream.resume().end();
  await once(stream, "close");
}

test("our connections get a large window, those of another HTTP/2 server in the process keep theirs", async () => {
  const other = createServer((_, response) => response.end());
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  const otherUrl = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  const one = await home();
  const two = await home();
  expect(await grantedWindow(`http://${one.server.address}`)).toBe(RECEIVE_WINDOW_BYTES);
  expect(await grantedWindow(otherUrl)).toBe(HTTP2_DEFAULT);
  await one.server.stop();
  expect(await grantedWindow(`http://${two.server.address}`)).toBe(RECEIVE_WINDOW_BYTES);
  expect(await grantedWindow(otherUrl)).toBe(HTTP2_DEFAULT);
  other.close();
});
