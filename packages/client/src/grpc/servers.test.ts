/** When a client moves on to its next address. */
import { connectivityState } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { parseAddresses } from "./address.js";
import type { Connections } from "./connections.js";
import { Servers } from "./servers.js";

const { CONNECTING, IDLE, READY, SHUTDOWN } = connectivityState;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Servers of two addresses, and the states of the connections that were opened to them. */
function start() {
  const states: connectivityState[] = [];
  const open = (): Connections => {
    const index = states.push(CONNECTING) - 1;
    const channel = { getConnectivityState: () => states[index] };
    const close = () => {
      states[index] = SHUTDOWN;
    };
    return { calls: { getChannel: () => channel }, close } as unknown as Connections;
  };
  return { servers: new Servers(parseAddresses(["127.0.0.1:1", "127.0.0.1:2"]), open), states };
}

test("a server that does not connect in time is left", () => {
  const { servers, states } = start();
  servers.forNextCall();
  vi.advanceTimersByTime(5_000);
  expect(states).toEqual([SHUTDOWN, CONNECTING]);
  expect(servers.target).toContain("127.0.0.1:2");
});

test.each([READY, IDLE])("a server that has connected is kept, also when it is idle: state %i", (state) => {
  const { servers, states } = start();
  servers.forNextCall();
  states[0] = state;
  vi.advanceTimersByTime(5_000);
  expect(states).toEqual([state]);
});

test("each server has its whole time, also when the one before it was left early", () => {
  const { servers, states } = start();
  const first = servers.forNextCall();
  vi.advanceTimersByTime(4_000);
  servers.leave(first);
  servers.forNextCall();
  vi.advanceTimersByTime(4_000);
  expect(states).toEqual([SHUTDOWN, CONNECTING]);
});

test("after close no connection is opened", () => {
  const { servers, states } = start();
  const first = servers.forNextCall();
  servers.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(5_000);
  servers.leave(first);
  expect(states).toEqual([SHUTDOWN]);
});
