/**
 * The API of a broker that crashes and restarts, as a client uses it over a network: calls wait
 * until the broker is available, streams end with an UnavailableError, and appends in progress may
 * or may not have taken effect.
 */
import type { LogApi } from "@logstore/client";
import type { Life } from "./life.js";

type Call = (...args: unknown[]) => Promise<unknown>;
type Membership = ReturnType<LogApi["joinGroup"]>;
type MemberEvent = Membership extends AsyncIterable<infer Event> ? Event : never;

const end = { value: undefined, done: true } as const;
/** The events of a membership that ended before it could begin. */
const none: AsyncIterator<MemberEvent> = { next: async () => end };

/** The calls with one answer, which are repeated if the broker crashes before it. */
const repeatable: Record<Exclude<keyof LogApi, "consume" | "joinGroup" | "produce">, true> = {
  allocateProducerId: true,
  alterTopicConfig: true,
  commitOffsets: true,
  createSnapshot: true,
  createTopic: true,
  deleteGroup: true,
  deleteRecords: true,
  deleteSnapshot: true,
  deleteTopic: true,
  describeGroup: true,
  describeServer: true,
  describeTopic: true,
  fetch: true,
  fetchOffsets: true,
  listGroups: true,
  listOffsets: true,
  listSnapshots: true,
  listTopics: true,
  resetOffsets: true,
  restoreSnapshot: true,
};

/** @param current resolves to the running broker; after a crash, to the next one */
export function restartingApi(current: () => Promise<Life>): LogApi {
  const calls = Object.keys(repeatable).map((name) => [name, answeredBy(current, name)]);
  return {
    ...(Object.fromEntries(calls) as Pick<LogApi, keyof typeof repeatable>),
    consume: consumeOn(current),
    joinGroup: joinGroupOn(current),
    produce: produceOn(current),
  };
}

/** Makes a call, and repeats it if the broker crashes before it answers. */
function answeredBy(current: () => Promise<Life>, name: string): Call {
  return async (...args) => {
    for (;;) {
      const life = await current();
      try {
        return await life.outcome((Reflect.get(life.broker, name) as Call).apply(life.broker, args));
      } catch (error) {
        if (!life.hasCrashed) throw error;
      }
    }
  };
}

/**
 * Appends are not repeated here: producers resend them, and sequence numbers prevent duplicates.
 * The broker may acknowledge an append whose caller gets an error, and must not free the batches
 * that are sent again.
 */
function produceOn(current: () => Promise<Life>): LogApi["produce"] {
  return async (request) => {
    const life = await current();
    return life.outcome(life.broker.produce({ ...request, isOwned: false }));
  };
}

function consumeOn(current: () => Promise<Life>): LogApi["consume"] {
  return async function* (request, options) {
    const life = await current();
    const events = life.events(life.broker.consume(request, options));
    yield* { [Symbol.asyncIterator]: () => events };
  };
}

function joinGroupOn(current: () => Promise<Life>): LogApi["joinGroup"] {
  return (request, options) => {
    let life: Life | undefined;
    let membership: Membership | undefined;
    let events: AsyncIterator<MemberEvent> | undefined;
    let hasLeft = false;
    const begin = async () => {
      life = await current();
      if (hasLeft) return none;
      membership = life.broker.joinGroup(request, options);
      events = life.events(membership[Symbol.asyncIterator]());
      return events;
    };
    const iterator: AsyncIterator<MemberEvent> = {
      next: async () => (events ?? (await begin())).next(),
      return: async () => {
        hasLeft = true;
        return (await events?.return?.()) ?? end;
      },
    };
    return {
      [Symbol.asyncIterator]: () => iterator,
      heartbeat: () => membership?.heartbeat(),
      revoked: (memberEpoch, partitions) => membership?.revoked(memberEpoch, partitions),
      subscribe: (topics) => membership?.subscribe(topics),
      leave: async () => {
        hasLeft = true;
        if (life !== undefined && membership !== undefined) await life.outcome(membership.leave());
      },
    };
  };
}
