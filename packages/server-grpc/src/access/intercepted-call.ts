/** One call on its way through access control: admitted or refused at first, perhaps cut later. */
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerMethodDefinition,
  type StatusObject,
} from "@grpc/grpc-js";
import { startTimer, type Timer } from "@logstore/codec";
import { resetStream } from "../transport/call-internals.js";
import type { Connection } from "../transport/connection.js";
import type { Caller, CallFacts } from "./caller.js";
import type { Credentials } from "./identity.js";

/**
 * A peer that reads nothing does not learn that its call was ended. Data that waits to be sent to
 * it is kept for at most this time, in ms.
 */
const CUT_GRACE_MS = 3_000;

export interface CallControl {
  readonly toStatus: (error: unknown) => StatusObject;
  /** Calls exactly one of the two callbacks, once. */
  readonly letIn: (
    facts: CallFacts,
    admitted: (caller: Caller) => void,
    refused: (error: unknown, principal?: string) => void,
  ) => void;
  /** The call goes to its handler, with this metadata. */
  readonly admitted: (metadata: Metadata, caller: Caller) => void;
  readonly refused: (facts: CallFacts, error: unknown, principal: string | undefined) => void;
  /** The call of this caller has ended. */
  readonly over: (caller: Caller) => void;
}

export function interceptedCall(
  method: ServerMethodDefinition<unknown, unknown>,
  call: ServerInterceptingCallInterface,
  connection: Connection | undefined,
  control: CallControl,
): ServerInterceptingCall {
  let caller: Caller | undefined;
  let isOver = false;
  let reset: Timer | undefined;
  const over = () => {
    isOver = true;
    reset?.cancel();
    if (!caller) return;
    control.over(caller);
    caller.end();
  };
  const end = (error: unknown) => call.sendStatus(control.toStatus(error));
  const cut = (error: unknown) => {
    end(error);
    reset = startTimer(CUT_GRACE_MS, () => resetStream(call), { keepsAlive: false });
  };
  const letIn = (metadata: Metadata, next: (metadata: Metadata) => void) => {
    const facts = factsOf(method, call, connection, metadata, cut);
    const admitted = (one: Caller) => {
      caller = one;
      // The call may have ended while its credentials were checked.
      if (isOver) return over();
      control.admitted(metadata, one);
      next(metadata);
    };
    const refused = (error: unknown, principal?: string) => {
      control.refused(facts, error, principal);
      end(error);
    };
    control.letIn(facts, admitted, refused);
  };
  return new ServerInterceptingCall(call, {
    start: (next) => next({ onReceiveMetadata: letIn, onCancel: over }),
    // The status of a cut call has been sent: any further message would break the stream.
    sendMessage: (message, next) => {
      if (!caller?.isCut) next(message);
    },
    sendStatus: (status, next) => {
      if (caller?.isCut) return;
      over();
      next(status);
    },
  });
}

function factsOf(
  method: ServerMethodDefinition<unknown, unknown>,
  call: ServerInterceptingCallInterface,
  connection: Connection | undefined,
  metadata: Metadata,
  end: CallFacts["end"],
): CallFacts {
  return {
    peer: connection?.peer ?? call.getPeer(),
    address: connection?.address ?? "",
    method: method.path,
    isStreaming: method.requestStream || method.responseStream,
    credentials: credentialsOf(metadata, connection),
    end,
  };
}

/** Takes the credentials out of the metadata, which others may write into logs and traces. */
function credentialsOf(metadata: Metadata, connection: Connection | undefined): Credentials {
  const authorization = metadata.get("authorization").map(String);
  metadata.remove("authorization");
  return { authorization, certificate: connection?.certificate };
}
