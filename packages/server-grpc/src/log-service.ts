/** LogService of log.proto, by way of a LogApi. */
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { PositionMessage, ProduceRequest } from "@logstore/protocol";
import { type CallContext, unary } from "./call-context.js";
import { type ConsumeCall, consume, positionOf } from "./consume-stream.js";
import { ackMessage, type ProduceCall, produceStream } from "./produce-stream.js";

interface ListOffsetsRequestMessage {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly position: PositionMessage | null }[];
}

export function logService(context: CallContext): UntypedServiceImplementation {
  const { api } = context;
  return {
    Produce: unary(context, async (request: ProduceRequest) => ackMessage(await api.produce(request))),
    ProduceStream: (call: ProduceCall) => void produceStream(call, context),
    Consume: (call: ConsumeCall) => void consume(call, context),
    ListOffsets: unary(context, async ({ topic, partitions }: ListOffsetsRequestMessage) => ({
      offsets: await api.listOffsets({
        topic,
        partitions: partitions.map(({ partition, position }) => ({ partition, position: positionOf(position) })),
      }),
    })),
  };
}
