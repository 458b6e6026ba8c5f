/**
 * grpc-js answers a message that its deserializer throws at with INTERNAL, as if the fault were
 * ours. So deserializers do not throw here: they hand on that the message is malformed, and the
 * handler refuses it as it refuses any other argument.
 */
import { InvalidArgumentError } from "@logstore/codec";
import { MAX_PLAIN_REQUEST_FIELDS } from "../transport/limits.js";
import { fieldCount } from "./field-count.js";

const malformed = Symbol("malformed request");
const tooLong = Symbol("request that is too long");

/** A request as it was decoded, or that it could not be. */
export type Received<Request> = Request | typeof malformed | typeof tooLong;

/** What is longer than `maxBytes` is not even looked at. */
export function receiving<Request>(
  decode: (bytes: Buffer) => Request,
  maxBytes = Number.POSITIVE_INFINITY,
): (bytes: Buffer) => Received<Request> {
  return (bytes) => {
    if (bytes.length > maxBytes) return tooLong;
    try {
      if (maxBytes < Number.POSITIVE_INFINITY && fieldCount(bytes) > MAX_PLAIN_REQUEST_FIELDS) return tooLong;
      return decode(bytes);
    } catch {
      return malformed;
    }
  };
}

/** @throws InvalidArgumentError where the message could not be decoded, or was not */
export function wellFormed<Request>(received: Received<Request>): Request {
  if (received === malformed) throw new InvalidArgumentError("the request is not a well-formed protobuf message");
  if (received === tooLong) throw new InvalidArgumentError("the request is too long: ask for less at a time");
  return received as Request;
}
