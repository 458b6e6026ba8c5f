/**
 * If a deserializer throws, grpc-js responds with INTERNAL, as if the server were at fault.
 * Therefore deserializers do not throw, but return a marker, and the handler refuses the message
 * like any other invalid argument.
 */
import { InvalidArgumentError } from "@logstore/codec";
import { MAX_PLAIN_REQUEST_FIELDS } from "../transport/limits.js";
import { fieldCount } from "./field-count.js";

const malformed = Symbol("malformed request");
const tooLong = Symbol("request that is too long");

/** A decoded request, or a marker that it could not be decoded. */
export type Received<Request> = Request | typeof malformed | typeof tooLong;

/** A message longer than `maxBytes` is not decoded. */
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

/** @throws InvalidArgumentError if the message could not be decoded, or was too long */
export function wellFormed<Request>(received: Received<Request>): Request {
  if (received === malformed) throw new InvalidArgumentError("the request is not a well-formed protobuf message");
  if (received === tooLong) throw new InvalidArgumentError("the request is too large: request less at a time");
  return received as Request;
}
