/**
 * Produce: an append in a unary call. Until it is answered, its bytes count like those of a
 * ProduceStream.
 */
import type { handleUnaryCall } from "@grpc/grpc-js";
import { durabilityToNumber, type ProduceAck, type ProduceRequest } from "@logstore/protocol";
import { sessionOf } from "../transport/call-internals.js";
import { sliceLeft } from "../transport/slices.js";
import { type CallContext, unaryAtOnce } from "./call-context.js";
import type { Received } from "./malformed.js";
import { checkedRequest, receivedBytes } from "./produce-stream.js";

type ProduceAckMessage = Omit<ProduceAck, "durability"> & { readonly durability: number };

export function produce(context: CallContext): handleUnaryCall<Received<ProduceRequest>, ProduceAckMessage> {
  const { unacked, receiveTurns } = context;
  const answer = unaryAtOnce(context, async (api, request: ProduceRequest) => {
    await sliceLeft(); // the headers of up to 2,000 batches are checked at once; the order of arrival is kept
    return ackMessage(await api.produce(checkedRequest(request)));
  });
  return (call, respond) => {
    const bytes = receivedBytes(call.request);
    unacked.take(bytes);
    receiveTurns.took(sessionOf(call), bytes);
    answer(call, (...answered) => {
      unacked.giveBack(bytes);
      respond(...answered);
    });
  };
}

function ackMessage(ack: ProduceAck): ProduceAckMessage {
  return { ...ack, durability: durabilityToNumber(ack.durability) };
}
