/** The effect of a grpc-js release that keeps its HTTP/2 servers elsewhere. */
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, expect, test, vi } from "vitest";
import { home } from "../../test/home.js";

const release = vi.hoisted(() => ({ hidesServers: false }));
vi.mock("./http2-servers.js", async (importOriginal) => {
  const { http2ServersOf } = await importOriginal<typeof import("./http2-servers.js")>();
  return {
    http2ServersOf: (grpc: Server, onMissing: () => void) =>
      http2ServersOf(release.hidesServers ? ({} as Server) : grpc, onMissing),
  };
});
const { http2ServersOf } = await import("./http2-servers.js");

afterEach(() => {
  release.hidesServers = false;
});

// If this test fails on a new release, pacing of calls and reports of broken sessions need another
// way.
test("grpc-js keeps its HTTP/2 servers under the expected name", () => {
  const grpc = new Server();
  grpc.createConnectionInjector(ServerCredentials.createInsecure());
  const missing = vi.fn();
  expect(http2ServersOf(grpc, missing)).toHaveLength(1);
  expect(missing).not.toHaveBeenCalled();
  grpc.forceShutdown();
});

test("without them a server warns, and serves", async () => {
  release.hidesServers = true;
  const onWarning = vi.fn();
  const { client } = await home({ onWarning });
  expect(onWarning.mock.calls.map(([message]) => message)).toEqual([expect.stringContaining("@grpc/grpc-js")]);
  expect((await client.call("ListTopics", {})).topics).toHaveLength(1);
});

test("with them a server does not warn", async () => {
  const onWarning = vi.fn();
  await home({ onWarning });
  expect(onWarning).not.toHaveBeenCalled();
});
