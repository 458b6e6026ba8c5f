/**
 * JoinGroup: one membership as a stream. If the stream breaks, the iteration of the membership's
 * events ends, and the member may rejoin.
 */
import { once } from "node:events";
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { InvalidArgumentError, SlowConsumerError } from "@logstore/codec";
import {
  type GroupMembership,
  joinFromMessage,
  type LogApi,
  type MemberEvent,
  type MemberEventMessage,
  type MemberMessage,
} from "@logstore/protocol";
import { resetStream } from "../transport/call-internals.js";
import { sliceLeft } from "../transport/slices.js";
import type { Stalled, StalledStreams } from "../transport/stalled-streams.js";
import type { CallContext } from "./call-context.js";
import { type GroupSerializers, memberEvent } from "./group-answers.js";
import { type Received, wellFormed } from "./malformed.js";
import { stoppingError } from "./running-calls.js";

export type JoinCall = ServerDuplexStream<Received<MemberMessage>, MemberEventMessage | Buffer>;

export async function joinGroup(call: JoinCall, context: CallContext, serializers: GroupSerializers): Promise<void> {
  const { apiFor, calls, errors } = context;
  const stream = new MemberStream(call, context, serializers);
  call.on("cancelled", () => stream.end());
  call.on("end", () => stream.end());
  try {
    await calls.run(
      async () => stream.run(await apiFor(call)),
      () => stream.fail(stoppingError()),
    );
    call.end();
  } catch (error) {
    if (!call.cancelled) call.emit("error", errors.toStatus(error));
  }
}

class MemberStream {
  readonly #call: JoinCall;
  readonly #serializers: GroupSerializers;
  readonly #stalled: StalledStreams;
  /** Settles when there are no more events; rejects with the reason. */
  readonly #over = Promise.withResolvers<void>();
  /** Cuts the member off if it reads nothing for too long. */
  readonly #reader: Stalled;
  #membership: GroupMembership | undefined;
  #events: AsyncIterator<MemberEvent> | undefined;
  #isOver = false;

  constructor(call: JoinCall, { sending, refused }: CallContext, serializers: GroupSerializers) {
    this.#call = call;
    this.#serializers = serializers;
    this.#stalled = sending.stalled;
    this.#over.promise.catch(() => {});
    this.#reader = {
      cutOff: () => {
        this.fail(new SlowConsumerError("the member read nothing for too long: join again with the same member id"));
        refused(call.getPeer(), call.getPath(), "its member read nothing for too long");
        resetStream(call);
      },
    };
  }

  end(): void {
    this.#over.resolve();
  }

  fail(error: unknown): void {
    this.#over.reject(error);
  }

  /** Resolves when the membership is over. */
  async run(api: LogApi): Promise<void> {
    const call = this.#call;
    // Hundreds of members may join, revoke partitions or leave in one turn of the event loop.
    call.on("data", async (received: Received<MemberMessage>) => {
      call.pause();
      await sliceLeft("members");
      if (this.#isOver) return;
      this.#take(received, api);
      call.resume();
    });
    try {
      await this.#over.promise;
    } finally {
      this.#isOver = true;
      this.#stalled.end(this.#reader);
      call.pause();
      await this.#events?.return?.();
      await sliceLeft("members");
    }
  }

  #take(received: Received<MemberMessage>, api: LogApi): void {
    const { resolve, reject } = this.#over;
    try {
      const message = wellFormed(received);
      if (this.#membership !== undefined) {
        answer(this.#membership, message, this.#call)?.then(resolve, reject);
        return;
      }
      if (!message.join) throw new InvalidArgumentError("the first message of a membership must be a join");
      this.#membership = api.joinGroup(joinFromMessage(message.join));
      this.#forward(this.#membership).then(resolve, reject);
    } catch (error) {
      reject(error);
    }
  }

  /** Sends the member's events until its membership ends. */
  async #forward(membership: GroupMembership): Promise<void> {
    const call = this.#call;
    const events = membership[Symbol.asyncIterator]();
    this.#events = events;
    for (let next = await events.next(); !next.done; next = await events.next()) {
      await sliceLeft("members");
      const message = await memberEvent(next.value, this.#serializers);
      if (call.cancelled || call.write(message)) continue;
      // Events that are not requested wait in the group, as one state instead of all its changes.
      this.#stalled.begin(this.#reader);
      await once(call, "drain");
      this.#stalled.end(this.#reader);
    }
  }
}

/**
 * Returns a promise if the message ends the stream.
 *
 * @throws InvalidArgumentError for a second join, or an unknown message
 */
function answer(membership: GroupMembership, message: MemberMessage, call: JoinCall): Promise<void> | undefined {
  const { heartbeat, revoked, subscribe, leave } = message;
  if (heartbeat) {
    membership.heartbeat();
    // A peer that reads nothing must not fill the memory with responses.
    if (!call.writableNeedDrain) call.write({ heartbeat: {} });
  } else if (revoked) membership.revoked(revoked.memberEpoch, revoked.partitions);
  else if (subscribe) membership.subscribe(subscribe.topics);
  else if (leave) return membership.leave();
  else throw new InvalidArgumentError("a member's message must be heartbeat, revoked, subscribe or leave");
  return undefined;
}
