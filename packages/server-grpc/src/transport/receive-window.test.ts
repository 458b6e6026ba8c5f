import { once } from "node:events";
import { type ClientHttp2Session, connect, createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { home } from "../../test/home.js";
import { RECEIVE_WINDOW_BYTES } from "./limits.js";
import { ReceiveWindows } from "./receive-window.js";

const MIB = 1024 * 1024;

const HTTP2_DEFAULT = 65_535;

/**
 * The window that a server grants each stream, after it has answered a request and all earlier
 * frames have arrived.
 */
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

test("the only connection that appends has a large window, several have small ones until one is alone again", async () => {
  const server = createServer((_, response) => response.end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const aloneMs = 50;
  const options = { windowBytes: 8 * MIB, sharedWindowBytes: MIB, aloneMs, isOurs: () => true };
  const windows = new ReceiveWindows(options);
  windows.begin();
  const open = async () => {
    const [[theirs], ours] = await Promise.all([
      once(server, "session") as Promise<[ServerHttp2Session]>,
      connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    ]);
    await request(ours);
    return { theirs, ours };
  };
  const windowOf = async (session: ClientHttp2Session) => {
    await new Promise((resolve) => session.ping(resolve));
    return session.remoteSettings.initialWindowSize;
  };
  const [one, two, idle] = [await open(), await open(), await open()];
  windows.appends(one.theirs);
  expect(await windowOf(one.ours)).toBe(8 * MIB);
  const leave = [windows.appends(two.theirs), windows.appends(two.theirs)];
  expect([await windowOf(one.ours), await windowOf(two.ours)]).toEqual([MIB, MIB]);
  expect(await windowOf(idle.ours)).toBe(8 * MIB);
  leave[0]!();
  await sleep(2 * aloneMs);
  expect(await windowOf(one.ours)).toBe(MIB); // the other has a stream left
  leave[1]!();
  while ((await windowOf(one.ours)) !== 8 * MIB) await sleep(5);
  windows.close();
  for (const { ours } of [one, two, idle]) ours.close();
  server.close();
});
