import { expect, test } from "vitest";
import { FakeLogApi } from "../../test/fake-log-api.js";
import { LoopBody } from "./loop-body.js";
import { Merge } from "./merge.js";
import { PullIterator } from "./pull-iterator.js";

test("an error ends Array.fromAsync, also where leaving would fail as well", async () => {
  const pull = (): undefined => {
    throw new Error("reading failed");
  };
  let leaves = 0;
  const left = async () => {
    if (++leaves > 100) process.exit(1); // V8 would call it forever, and no timer would run
    throw new Error("leaving failed");
  };
  const merge = new Merge(new FakeLogApi(), { isEndless: true, signal: undefined, onEnd() {} });
  const iterator = new PullIterator<object>(merge, pull, { left, body: new LoopBody() });
  await expect(Array.fromAsync(iterator)).rejects.toThrow("reading failed");
});
