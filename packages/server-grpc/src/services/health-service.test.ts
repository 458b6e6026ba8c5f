import { queryObjects } from "node:v8";
import { ServerInterceptingCall } from "@grpc/grpc-js";
import { PermissionDeniedError, UnavailableError, UnknownTopicError } from "@logstore/codec";
import type { TopicHealth } from "@logstore/protocol";
import { service } from "grpc-health-check";
import { expect, test } from "vitest";
import { failure, type Message } from "../../test/foreign-client.js";
import { eventually, home } from "../../test/home.js";
import { serve } from "../index.js";

const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const RESOURCE_EXHAUSTED = 8;
const PERMISSION_DENIED = 7;
const UNAVAILABLE = 14;
const { Check, List, Watch } = service as Record<string, Message>;

/** A server whose topics have the given health. */
async function withHealth() {
  const healths = new Map<string, TopicHealth>([["t", "serving"]]);
  const listeners = new Set<() => void>();
  const here = await home({
    api: {
      async topicHealth(topic) {
        const health = healths.get(topic);
        if (health === undefined) throw new UnknownTopicError(`there is no topic ${topic}`, { topic });
        return health;
      },
      onTopicHealth(changed) {
        listeners.add(changed);
        return () => void listeners.delete(changed);
      },
    },
  });
  const become = (topic: string, health: TopicHealth | undefined) => {
    if (health === undefined) healths.delete(topic);
    else healths.set(topic, health);
    for (const changed of listeners) changed();
  };
  const check = async (name: string) => (await here.client.other(Check, { service: name })).status;
  /** Collects the responses of a watch, and its end. */
  const watch = (name: string) => {
    const statuses: string[] = [];
    const call = here.client.otherStream(Watch);
    const end = new Promise<number>((resolve) => call.on("status", ({ code }) => resolve(code)));
    call.on("data", ({ status }: Message) => statuses.push(status)).on("error", () => {});
    call.write({ service: name });
    call.end();
    return { statuses, end, call };
  };
  return { ...here, become, check, watch, listeners };
}

test("the server and its services are serving, topics have their health, and anything else is not found", async () => {
  const { check, become, client } = await withHealth();
  for (const name of ["", "logstore.v1.LogService", "logstore.v1.ConsumerGroupService", "topic/t"]) {
    expect(await check(name)).toBe("SERVING");
  }
  become("t", "failed");
  expect(await check("topic/t")).toBe("NOT_SERVING");
  expect(await check("")).toBe("SERVING");
  for (const name of ["topic/u", "t", "topic/", "logstore.v1.Nothing"]) {
    expect((await failure(check(name))).code).toBe(NOT_FOUND);
  }
  expect(await client.other(List, {})).toEqual({
    statuses: {
      "": { status: "SERVING" },
      "logstore.v1.LogService": { status: "SERVING" },
      "logstore.v1.AdminService": { status: "SERVING" },
      "logstore.v1.ConsumerGroupService": { status: "SERVING" },
      startup: { status: "SERVING" },
      "topic/t": { status: "NOT_SERVING" },
    },
  });
});

test("while no calls can be served, the services are not serving, and the server itself is", async () => {
  const { check, become, api, watch } = await withHealth();
  let health: TopicHealth = "failed";
  Object.assign(api, { serviceHealth: async () => health });
  const { statuses, call } = watch("logstore.v1.LogService");
  await eventually(() => statuses.at(-1) === "NOT_SERVING");
  expect(await check("logstore.v1.ConsumerGroupService")).toBe("NOT_SERVING");
  for (const name of ["", "startup"]) expect(await check(name)).toBe("SERVING"); // no reason for a restart
  health = "serving";
  become("t", "serving");
  await eventually(() => statuses.at(-1) === "SERVING");
  call.cancel();
});

test("while a journal of groups accepts nothing, the service of groups is not serving, and the others are", async () => {
  const { check, become, api, watch } = await withHealth();
  let health: TopicHealth = "failed";
  Object.assign(api, { serviceHealth: async () => "serving", groupsHealth: async () => health });
  const { statuses, call } = watch("logstore.v1.ConsumerGroupService");
  await eventually(() => statuses.at(-1) === "NOT_SERVING");
  for (const name of ["logstore.v1.LogService", "logstore.v1.AdminService", ""]) {
    expect(await check(name)).toBe("SERVING");
  }
  health = "serving";
  become("t", "serving");
  await eventually(() => statuses.at(-1) === "SERVING");
  call.cancel();
});

test("while topics are being opened, they and startup are not serving, and all else is", async () => {
  const { check, become, api, watch } = await withHealth();
  const startup = { startupHealth: async (): Promise<TopicHealth> => "failed" };
  Object.assign(api, startup);
  const beingOpened = () => Promise.reject(new UnavailableError("topic u is being opened"));
  const { listOffsets } = api;
  api.listOffsets = (request) => (request.topic === "u" ? beingOpened() : listOffsets.call(api, request));
  become("u", "failed");
  const { statuses } = watch("startup");
  expect(await check("startup")).toBe("NOT_SERVING");
  expect(await check("topic/u")).toBe("NOT_SERVING");
  for (const name of ["", "topic/t"]) expect(await check(name)).toBe("SERVING");
  Object.assign(api, { listOffsets, startupHealth: async () => "serving" });
  become("u", "serving");
  expect(await check("startup")).toBe("SERVING");
  await eventually(() => statuses.join() === "NOT_SERVING,SERVING");
});

test("a caller that may not know of a topic learns neither its health nor its existence", async () => {
  const { check, become, api } = await withHealth();
  api.listOffsets = () => Promise.reject(new PermissionDeniedError("not this topic"));
  for (const health of ["serving", "failed"] as const) {
    become("t", health);
    expect((await failure(check("topic/t"))).code).toBe(PERMISSION_DENIED);
  }
  expect((await failure(check("topic/nothing"))).code).toBe(PERMISSION_DENIED);
});

test("a topic that the log cannot open is not serving", async () => {
  const { check, become } = await withHealth();
  become("unreadable", "failed");
  expect(await check("topic/unreadable")).toBe("NOT_SERVING");
});

test("a log without topic health has no topics to check", async () => {
  const { client } = await home();
  expect((await failure(client.other(Check, { service: "topic/t" }))).code).toBe(NOT_FOUND);
});

test("a watcher is notified of every change, and of nothing else", async () => {
  const { watch, become, api } = await withHealth();
  const { statuses } = watch("topic/t");
  const unknown = watch("topic/u");
  await eventually(() => statuses.length === 1 && unknown.statuses.length === 1);
  become("other", "failed");
  become("t", "failed");
  await eventually(() => statuses.length === 2);
  become("t", undefined);
  await api.createTopic({ topic: "u", partitions: 1 });
  become("u", "serving");
  await eventually(() => statuses.length === 3 && unknown.statuses.length === 2);
  expect(statuses).toEqual(["SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"]);
  expect(unknown.statuses).toEqual(["SERVICE_UNKNOWN", "SERVING"]);
});

test("a stopping server first reports that, completes calls in progress, and then ends watches", async () => {
  const answer = Promise.withResolvers<[]>();
  const { watch, check, client, server, api, listeners } = await withHealth();
  let asked = false;
  api.listTopics = () => {
    asked = true;
    return answer.promise;
  };
  const underWay = client.call("ListTopics", {});
  await eventually(() => asked);
  const watching = [watch(""), watch("topic/t")];
  await eventually(() => watching.every(({ statuses }) => statuses.length === 1));
  const stopped = server.stop();
  await eventually(() => watching.every(({ statuses }) => statuses.length === 2));
  for (const { statuses } of watching) expect(statuses).toEqual(["SERVING", "NOT_SERVING"]);
  expect(await check("topic/t")).toBe("NOT_SERVING");
  answer.resolve([]);
  await underWay;
  for (const { end } of watching) expect(await end).toBe(UNAVAILABLE);
  await stopped;
  expect(listeners.size).toBe(0);
});

test("a server that cannot listen leaves no listener on the log", async () => {
  const { api, server, listeners } = await withHealth();
  const port = Number(server.address.split(":")[1]);
  await expect(serve(api, { port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  expect(listeners.size).toBe(1); // that of the server which listens there
});

test("a cancelled watch leaves nothing behind", async () => {
  const { watch, server } = await withHealth();
  const { statuses, call, end } = watch("");
  await eventually(() => statuses.length === 1);
  call.cancel();
  await end;
  await server.stop(); // it would wait for the call
});

test("ended watches are freed while the server runs", async () => {
  const { watch, become } = await withHealth();
  const kept = () => queryObjects(ServerInterceptingCall, { format: "count" });
  const before = kept();
  for (let i = 0; i < 20; i++) {
    const { statuses, call, end } = watch("topic/t");
    await eventually(() => statuses.length === 1);
    call.cancel();
    await end;
  }
  become("t", "failed");
  await eventually(() => kept() - before < 10);
});

test("a name of any length is refused unread, or before it is looked up", async () => {
  const { check } = await withHealth();
  expect(await failure(check(`topic/${"x".repeat(1_000)}`))).toMatchObject({ code: INVALID_ARGUMENT });
  expect(await failure(check(`topic/${"x".repeat(10_000)}`))).toMatchObject({ code: RESOURCE_EXHAUSTED });
});
