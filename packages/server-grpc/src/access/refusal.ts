/** The report of each refused connection and call to the server's owner, made once. */
import type { ErrorCode } from "@logstore/codec";

/** A connection or call that was refused. */
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
