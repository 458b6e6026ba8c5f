import type { MemberEvent } from "@logstore/protocol";
import { expect, test } from "vitest";
import { visibleEvents } from "./visible-partitions.js";

const isVisible = (topic: string) => topic !== "secret";
const both = ["t", "secret"].map((topic) => ({ topic, partition: 0, offset: 1 }));

test("a member is told of topics that its caller may know of, and of no others", async () => {
  const all: MemberEvent[] = [
    { type: "joined", memberId: "m", memberEpoch: 1, heartbeatIntervalMs: 1, sessionTimeoutMs: 1 },
    { type: "offsetsReset", memberEpoch: 2, offsets: both },
    { type: "assignment", memberEpoch: 2, partitions: both, revoking: both },
  ];
  const events = visibleEvents(
    (async function* () {
      yield* all;
    })(),
    isVisible,
  );
  const heard: MemberEvent[] = [];
  for (let next = await events.next(); !next.done; next = await events.next()) heard.push(next.value);
  expect(heard.map(({ type }) => type)).toEqual(["joined", "offsetsReset", "assignment"]);
  expect(JSON.stringify(heard)).not.toContain("secret");
  expect(heard.at(-1)).toMatchObject({ partitions: [{ topic: "t" }], revoking: [{ topic: "t" }] });
});

test("ends while an event is awaited", async () => {
  let isEnded = false;
  const waiting = Promise.withResolvers<IteratorResult<MemberEvent>>();
  const events = visibleEvents(
    {
      next: () => waiting.promise,
      return: async () => {
        isEnded = true;
        waiting.resolve({ done: true, value: undefined });
        return { done: true, value: undefined };
      },
    },
    isVisible,
  );
  const next = events.next();
  await events.return?.();
  expect([isEnded, await next]).toEqual([true, { done: true, value: undefined }]);
});
