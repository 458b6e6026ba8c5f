/** What types alone do not keep out where the caller writes JavaScript: other values would be written as damaged bytes. */
import { type Bytes, type HeaderInput, InvalidArgumentError } from "@logstore/codec";

/** @throws InvalidArgumentError */
export function checkRecord(key: Bytes | null, value: Bytes, headers: readonly HeaderInput[] | undefined): void {
  if (key !== null) checkBytes("a key", key);
  checkBytes("a value", value);
  for (const { name, value } of headers ?? []) {
    checkBytes("a header's value", value);
    if (typeof name !== "string") throw new InvalidArgumentError(`a header's name is a string, not ${typeof name}`);
  }
}

function checkBytes(what: string, bytes: Bytes): void {
  if (typeof bytes === "string" || bytes instanceof Uint8Array) return;
  throw new InvalidArgumentError(`${what} is a string or a Uint8Array, not ${typeof bytes}`);
}
