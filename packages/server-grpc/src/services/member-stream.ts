/**
 * JoinGroup: one membership as a stream. If the stream breaks, the iteration of the membership's
 * events ends, and the member may rejoin.
 */
import { once } from "node:events";
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { InvalidArgumentError, SlowConsumerError } from "@logstore/codec";
import { type GroupMembership, joinFromMessage, type MemberEventMessage, type MemberMessage } from "@logstore/protocol";
import { resetStream } from "../transport/base-call.js";
import { sliceLeft } from "../transport/slices.js";
import type { CallContext } from "./call-context.js";
import { type GroupSerializers, memberEvent } from "./group-answers.js";
import { type Received, wellFormed } from "./malformed.js";
import { stoppingError } from "./running-calls.js";

export type JoinCall = ServerDuplexStream<Received<MemberMessage>, MemberEventMessage | Buffer>;

export async function joinGroup(
  call: JoinCall,
  { apiFor, calls, errors, sending, refused }: CallContext,
  serializers: GroupSerializers,
): Promise<void> {
  /** Settles when there are no more events; rejects with the reason. */
  const over = Promise.withResolvers<void>();
  over.promise.catch(() => {});
  const onStop = () => over.reject(stoppingError());
  const reader = {
    cutOff() {
      over.reject(new SlowConsumerError("the member took nothing for too long: join again as the same one"));
      refused(call.getPeer(), call.getPath(), "its member took nothing for too long");
      resetStream(call);
    },
  };
  call.on("cancelled", () => over.resolve());
  call.on("end", () => over.resolve());

  const run = async () => {
    const api = await apiFor(call);
    let membership: GroupMembership | undefined;
    let events: AsyncIterator<unknown> | undefined;
    const forward = async (joined: GroupMembership) => {
      const iterator = joined[Symbol.asyncIterator]();
      events = iterator;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
        await sliceLeft("members");
        const message = await memberEvent(next.value, serializers);
        if (call.cancelled || call.write(message)) continue;
        // Events that are not requested wait in the group, as one state instead of all its changes.
        sending.stalled.begin(reader);
        await once(call, "drain");
        sending.stalled.end(reader);
      }
    };
    const take = (received: Received<MemberMessage>) => {
      try {
        const message = wellFormed(received);
        if (membership !== undefined) answer(membership, message, call)?.then(over.resolve, over.reject);
        else {
          if (!message.join) throw new InvalidArgumentError("the first message of a membership is a join");
          membership = api.joinGroup(joinFromMessage(message.join));
          forward(membership).then(over.resolve, over.reject);
        }
      } catch (error) {
        over.reject(error);
      }
    };
    let isOver = false;
    // Hundreds of members may join, revoke partitions or leave in one turn of the event loop.
    call.on("data", async (received: Received<MemberMessage>) => {
      call.pause();
      await sliceLeft("members");
      if (isOver) return;
      take(received);
      call.resume();
    });
    try {
      await over.promise;
    } finally {
      isOver = true;
      sending.stalled.end(reader);
      call.pause();
      await events?.return?.();
      await sliceLeft("members");
    }
  };
  try {
    await calls.run(run, onStop);
    call.end();
  } catch (error) {
    if (!call.cancelled) call.emit("error", errors.toStatus(error));
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
  else throw new InvalidArgumentError("a member says heartbeat, revoked, subscribe or leave");
  return undefined;
}
