import { PassThrough } from "node:stream";
import { UnavailableError } from "@logstore/codec";
import type { MemberEvent, MemberMessage } from "@logstore/protocol";
import { beforeEach, expect, test } from "vitest";
import { GrpcMembership, type MemberStream } from "./group-membership.js";

const joined = { memberId: "m", memberEpoch: 1, heartbeatIntervalMs: 5, sessionTimeoutMs: 6 };

/** A stream whose other end is played by the test. */
class FakeStream extends PassThrough {
  readonly sent: MemberMessage[] = [];
  isCancelled = false;

  constructor() {
    super({ objectMode: true });
  }

  override write(message: MemberMessage): boolean {
    this.sent.push(message);
    return true;
  }

  cancel(): void {
    this.isCancelled = true;
  }
}

let stream: FakeStream;
let opened: number;
let membership: GrpcMembership;

beforeEach(() => {
  stream = new FakeStream();
  opened = 0;
  const open = () => {
    opened++;
    return stream as unknown as MemberStream;
  };
  const request = { group: "g", topics: ["t"] };
  membership = new GrpcMembership(request, open, (error) => new UnavailableError(String(error)));
});

const begin = (): AsyncIterator<MemberEvent, undefined> => membership[Symbol.asyncIterator]();
const kinds = () => stream.sent.map((message) => Object.keys(message)[0]);

test("it joins when its events are asked for, once", async () => {
  membership.heartbeat();
  expect([opened, stream.sent]).toEqual([0, []]);
  const events = begin();
  begin();
  expect(opened).toBe(1);
  expect(stream.sent).toEqual([{ join: { group: "g", topics: ["t"] } }]);
  stream.emit("data", { heartbeat: {} });
  stream.emit("data", { joined });
  expect(await events.next()).toEqual({ done: false, value: { type: "joined", ...joined } });
});

test("topics that are subscribed to before it joins are those of the join", () => {
  membership.subscribe(["u"]);
  begin();
  expect(stream.sent).toEqual([{ join: { group: "g", topics: ["u"] } }]);
});

test("it ends with the stream's error, or with the stream", async () => {
  const events = begin();
  const next = events.next();
  stream.emit("error", new Error("broken"));
  stream.emit("status", {});
  await expect(next).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(await events.next()).toEqual({ done: true, value: undefined });
});

test("leaving the events breaks the stream, also while the next one is awaited; nothing is said any more", async () => {
  const events = begin();
  const next = events.next();
  await events.return!();
  expect(await next).toEqual({ done: true, value: undefined });
  expect(stream.isCancelled).toBe(true);
  membership.heartbeat();
  expect(kinds()).toEqual(["join"]);
});

test("to leave is to say so and to wait for the server to end the stream", async () => {
  const events = begin();
  let isGone = false;
  const left = membership.leave().then(() => (isGone = true));
  await new Promise(setImmediate);
  expect([kinds(), isGone]).toEqual([["join", "leave"], false]);
  stream.emit("status", {});
  await left;
  expect(await events.next()).toEqual({ done: true, value: undefined });
  expect(stream.isCancelled).toBe(false);
});

test("a server that answers no heartbeat is given up; any message is an answer", async () => {
  const events = begin();
  for (let i = 0; i < 5; i++) {
    membership.heartbeat();
    stream.emit("data", { heartbeat: {} });
  }
  membership.heartbeat();
  membership.heartbeat();
  expect(stream.isCancelled).toBe(false);
  membership.heartbeat();
  await expect(events.next()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(stream.isCancelled).toBe(true);
});
