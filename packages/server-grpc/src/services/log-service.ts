/** LogService of log.proto, implemented by a LogApi. */
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import { InvalidArgumentError } from "@logstore/codec";
import type { PositionMessage } from "@logstore/protocol";
import { MAX_LISTED_POSITIONS } from "../transport/limits.js";
import { type CallContext, unary, unaryAtOnce } from "./call-context.js";
import { type ConsumeCall, consume } from "./consume-stream.js";
import { type FetchRequestMessage, fetch } from "./fetch.js";
import { encodeInPieces, type Serialize } from "./in-pieces.js";
import { positionOf } from "./position.js";
import { produce } from "./produce.js";
import { type ProduceCall, produceStream } from "./produce-stream.js";

interface ListOffsetsRequestMessage {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: readonly { readonly partition: number; readonly position: PositionMessage | null }[];
}

/** @param encodeListOffsets serializes a ListOffsetsResponse */
export function logService(context: CallContext, encodeListOffsets: Serialize): UntypedServiceImplementation {
  return {
    Produce: produce(context),
    ProduceStream: (call: ProduceCall) => void produceStream(call, context),
    Consume: (call: ConsumeCall) => void consume(call, context),
    Fetch: unaryAtOnce(context, (api, request: FetchRequestMessage, signal, call) =>
      fetch(context, api, request, signal, call),
    ),
    ListOffsets: unary(context, async (api, { topic, topicId, partitions }: ListOffsetsRequestMessage) => {
      if (partitions.length > MAX_LISTED_POSITIONS) {
        throw new InvalidArgumentError(
          `a call may name ${MAX_LISTED_POSITIONS} positions, not ${partitions.length}: make several`,
          { topic, expected: MAX_LISTED_POSITIONS, actual: partitions.length },
        );
      }
      const positions = partitions.map(({ partition, position }) => ({ partition, position: positionOf(position) }));
      const offsets = await api.listOffsets({ topic, topicId, partitions: positions });
      return encodeInPieces(encodeListOffsets, { offsets, topicId: offsets[0]?.topicId });
    }),
    AllocateProducerId: unary(context, async (api) => ({ producerId: await api.allocateProducerId() })),
  };
}
