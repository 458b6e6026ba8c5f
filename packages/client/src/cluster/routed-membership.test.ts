import type { GroupMembership, JoinGroupRequest, LogApi } from "@logstore/protocol";
import { expect, test } from "vitest";
import { RoutedMembership } from "./routed-membership.js";
import type { Ways } from "./ways.js";

test("topics that are subscribed to before the coordinator is found are those of the join", async () => {
  const found = Promise.withResolvers<{ log: Pick<LogApi, "joinGroup">; enter(): void; leave(): void }>();
  const joins: JoinGroupRequest[] = [];
  const events = { next: async () => ({ done: true, value: undefined }) as const };
  const joinGroup = (request: JoinGroupRequest) => {
    joins.push(request);
    return { [Symbol.asyncIterator]: () => events } as unknown as GroupMembership;
  };
  const membership = new RoutedMembership({ of: () => found.promise } as unknown as Ways, {
    group: "g",
    topics: ["t"],
  });
  const next = membership.next();
  membership.subscribe(["u", "v"]);
  found.resolve({ log: { joinGroup }, enter() {}, leave() {} });
  expect(await next).toEqual({ done: true, value: undefined });
  expect(joins).toEqual([{ group: "g", topics: ["u", "v"] }]);
});

test.each(["leave", "return"] as const)("%s ends a membership whose coordinator is not found yet", async (end) => {
  const found = Promise.withResolvers<never>();
  const membership = new RoutedMembership({ of: () => found.promise } as unknown as Ways, {
    group: "g",
    topics: ["t"],
  });
  const next = membership.next();
  await membership[end]();
  expect(await next).toEqual({ done: true, value: undefined });
  found.reject(new Error("the look-up failed after the end"));
});
