/**
 * What is told of each connection and each call that was not let in: once, and for the server's
 * owner.
 */
import type { ErrorCode } from "@logstore/codec";

/** A connection or a call that was refused. */
export interface Refusal {
  readonly refused: "connection" | "call";
  /** "10.0.0.7:51234" */
  readonly peer: string;
  readonly reason: string;
  /** "/logstore.v1.LogService/Consume" */
  readonly method?: string;
  readonly principal?: string;
  readonly code?: ErrorCode;
}
