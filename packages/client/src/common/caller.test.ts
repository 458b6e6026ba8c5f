import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { FakeLogApi } from "../../test/fake-log-api.js";
import { connect, text } from "../index.js";
import { callStack } from "./caller.js";

const { captureStackTrace, prepareStackTrace, stackTraceLimit } = Error;

afterEach(() => {
  Object.assign(Error, { captureStackTrace, prepareStackTrace, stackTraceLimit });
});

/** Stack traces of engines other than V8. */
const engines: Record<string, (traced: { stack?: unknown }) => void> = {
  "leaves nothing": () => {},
  "writes a text": (traced) => {
    traced.stack = "close@file.js:1:1";
  },
  "knows call sites without V8's methods": (traced) => {
    traced.stack = Error.prepareStackTrace?.(new Error(), [{ getFunctionName: () => "close" } as NodeJS.CallSite]);
  },
  "has no stack traces": () => {
    throw new TypeError("Error.captureStackTrace is not a function");
  },
};

test("on V8 the running functions are named", () => {
  function outer() {
    return callStack();
  }
  expect(outer()[0]?.name).toBe("outer");
});

describe.each(Object.entries(engines))("on an engine that %s", (_, trace) => {
  test("no caller is recognized, and Error is as before", () => {
    const ours = vi.fn();
    Error.prepareStackTrace = ours;
    Error.captureStackTrace = trace;
    expect(callStack()).toEqual([]);
    expect(Error.prepareStackTrace).toBe(ours);
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  });

  test("close in the body of a loop ends at its time limit", async () => {
    const api = new FakeLogApi();
    const client = connect(api);
    onTestFinished(() => client.close({ timeoutMs: 0 }));
    await api.createTopic({ topic: "t", partitions: 1 });
    await client.producer("t").send({ value: "a" });
    api.groups.onJoin = (one) => one.joined().assigned(1, [[0, 0]]);
    const consumer = client.consumer({ group: "g", topics: ["t"], value: text() });
    const values: string[] = [];
    for await (const { value } of consumer) {
      values.push(value);
      Error.captureStackTrace = trace;
      await consumer.close({ timeoutMs: 50 });
    }
    expect(values).toEqual(["a"]);
    expect(api.groups.memberships[0]!.said).toEqual(["leave"]);
    expect(api.groups.committed).toEqual({});
  });
});
