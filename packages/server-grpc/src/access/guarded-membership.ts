/** A group membership limited to what its caller is allowed, now and as long as it lasts. */
import type { GroupMembership, JoinGroupRequest, LogApi } from "@logstore/protocol";
import type { Caller } from "./caller.js";
import { operationOf } from "./operations.js";
import { visibleEvents } from "./visible-partitions.js";

/**
 * A pattern is allowed where everything that it may match is.
 *
 * @throws PermissionDeniedError, UnauthenticatedError
 */
export function guardedMembership(api: LogApi, caller: Caller, request: JoinGroupRequest): GroupMembership {
  const check = () => caller.check(operationOf.joinGroup, request.group);
  const holdTopics = (topics: readonly string[]) => {
    for (const topic of topics) caller.check(operationOf.consume, topic);
    const held = topics.map((name) => ({ operation: "consume", name }) as const);
    caller.hold({ operation: "group", name: request.group }, ...held);
  };
  check();
  holdTopics(request.topics);
  const membership = api.joinGroup(request, { principal: caller.principal });
  const isVisible = (topic: string) => caller.allows(operationOf.describeTopic, topic);
  return {
    [Symbol.asyncIterator]: () => endedByCut(visibleEvents(membership[Symbol.asyncIterator](), isVisible), caller),
    heartbeat: () => {
      check();
      membership.heartbeat();
    },
    revoked: (memberEpoch, partitions) => {
      check();
      membership.revoked(memberEpoch, partitions);
    },
    subscribe: (topics) => {
      check();
      holdTopics(topics);
      membership.subscribe(topics);
    },
    leave: async () => {
      check();
      return membership.leave();
    },
  };
}

/**
 * Ends the events when the call is cut: a peer that reads nothing would keep the call open, and its
 * place in the group with it.
 */
function endedByCut<Event>(events: AsyncIterator<Event>, caller: Caller): AsyncIterator<Event> {
  const end = () => {
    if (caller.isCut) void events.return?.().catch(() => {}); // errors are reported to whoever reads
  };
  caller.signal.addEventListener("abort", end, { once: true });
  return events;
}
