/**
 * grpc-js answers a message that its deserializer throws at with INTERNAL, as if the fault were ours. So deserializers do not
 * throw here: they hand on that the message is malformed, and the handler refuses it as it refuses any other argument.
 */
import { InvalidArgumentError } from "@logstore/codec";

const malformed = Symbol("malformed request");

/** A request as it was decoded, or that it could not be. */
export type Received<Request> = Request | typeof malformed;

export function receiving<Request>(decode: (bytes: Buffer) => Request): (bytes: Buffer) => Received<Request> {
  return (bytes) => {
    try {
      return decode(bytes);
    } catch {
      return malformed;
    }
  };
}

/** @throws InvalidArgumentError where the message could not be decoded */
export function wellFormed<Request>(received: Received<Request>): Request {
  if (received === malformed) throw new InvalidArgumentError("the request is not a well-formed protobuf message");
  return received as Request;
}
