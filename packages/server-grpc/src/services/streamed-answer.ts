import type { ErrorDetail, ProduceAck } from "@logstore/protocol";

/** A response of a ProduceStream, before it is encoded. */
export type StreamedAnswer = { readonly ack: ProduceAck } | { readonly error: ErrorDetail };
