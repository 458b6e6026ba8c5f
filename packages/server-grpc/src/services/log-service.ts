/** LogService of log.proto, by way of a LogApi. */
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import { InvalidArgumentError } from "@logstore/codec";
import { CONSUME_HEADROOM_BYTES, type PositionMessage, type ProduceRequest } from "@logstore/protocol";
import {
  DEFAULT_CONSUME_BYTES,
  MAX_CONSUME_BYTES,
  MAX_FETCH_WAIT_MS,
  MAX_LISTED_POSITIONS,
} from "../transport/limits.js";
import { type CallContext, unary } from "./call-context.js";
import { type ConsumeCall, consume } from "./consume-stream.js";
import { optionalPosition, positionOf } from "./position.js";
import { ackMessage, type ProduceCall, produceStream } from "./produce-stream.js";

interface ListOffsetsRequestMessage {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly position: PositionMessage | null }[];
}

interface FetchRequestMessage {
  readonly topic: string;
  readonly partition: number;
  readonly from?: PositionMessage | null;
  readonly maxBytes: number;
  readonly minBytes: number;
  readonly maxWaitMs: number;
}

export function logService(context: CallContext): UntypedServiceImplementation {
  return {
    Produce: unary(context, async (api, request: ProduceRequest) => ackMessage(await api.produce(request))),
    ProduceStream: (call: ProduceCall) => void produceStream(call, context),
    Consume: (call: ConsumeCall) => void consume(call, context),
    Fetch: unary(context, (api, { from, maxBytes, minBytes, maxWaitMs, ...where }: FetchRequestMessage, signal) =>
      api.fetch(
        {
          ...where,
          from: optionalPosition(from),
          maxBytes: Math.min(maxBytes || DEFAULT_CONSUME_BYTES, MAX_CONSUME_BYTES),
          minBytes: minBytes || 1,
          maxWaitMs: Math.min(maxWaitMs, MAX_FETCH_WAIT_MS),
        },
        { signal, headroomBytes: CONSUME_HEADROOM_BYTES },
      ),
    ),
    ListOffsets: unary(context, async (api, { topic, partitions }: ListOffsetsRequestMessage) => {
      if (partitions.length > MAX_LISTED_POSITIONS) {
        throw new InvalidArgumentError(
          `a call may name ${MAX_LISTED_POSITIONS} positions, not ${partitions.length}: make several`,
          { topic, expected: MAX_LISTED_POSITIONS, actual: partitions.length },
        );
      }
      const positions = partitions.map(({ partition, position }) => ({ partition, position: positionOf(position) }));
      return { offsets: await api.listOffsets({ topic, partitions: positions }) };
    }),
    AllocateProducerId: unary(context, async (api) => ({ producerId: await api.allocateProducerId() })),
  };
}
