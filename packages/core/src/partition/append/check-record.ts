/**
 * Checks that types alone do not guarantee if the caller is JavaScript: other values would be
 * written as corrupt bytes.
 */
import { type Bytes, type HeaderInput, InvalidArgumentError, shown } from "@logstore/codec";

/** @throws InvalidArgumentError */
export function checkRecord(key: Bytes | null, value: Bytes, headers: readonly HeaderInput[] | undefined): void {
  if (key !== null) checkBytes("a key", key);
  checkBytes("a value", value);
  if (headers !== undefined) checkHeaders(headers);
}

function checkHeaders(headers: readonly HeaderInput[]): void {
  if (typeof headers?.[Symbol.iterator] !== "function") {
    throw new InvalidArgumentError(`headers must be a list, not ${shown(headers)}`);
  }
  for (const header of headers) {
    if (typeof header !== "object" || header === null) {
      throw new InvalidArgumentError(`a header must be { name, value }, not ${shown(header)}`);
    }
    checkBytes("a header's value", header.value);
    if (typeof header.name === "string") continue;
    throw new InvalidArgumentError(`a header's name is a string, not ${typeof header.name}`);
  }
}

/** @throws InvalidArgumentError */
export function checkBytes(what: string, bytes: Bytes): void {
  if (typeof bytes === "string" || bytes instanceof Uint8Array) return;
  throw new InvalidArgumentError(`${what} is a string or a Uint8Array, not ${typeof bytes}`);
}
