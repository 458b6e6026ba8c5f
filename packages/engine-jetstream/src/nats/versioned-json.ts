/** Values of keys in the bucket: JSON with a version. */
import { NotALogStoreError, UnsupportedFormatVersionError } from "@logstore/codec";

const VERSION = 1;

export function encodeVersioned(content: object): Uint8Array {
  return Buffer.from(JSON.stringify({ version: VERSION, ...content }));
}

/** @throws NotALogStoreError, UnsupportedFormatVersionError */
export function decodeVersioned<T extends object>(key: string, value: Uint8Array): T {
  let decoded: (T & { version?: number }) | undefined;
  try {
    decoded = JSON.parse(Buffer.from(value).toString());
  } catch {
    // said below
  }
  if (typeof decoded?.version !== "number") {
    throw new NotALogStoreError(`key ${key} in NATS does not hold what LogStore has written`);
  }
  const { version, ...content } = decoded;
  if (version === VERSION) return content as unknown as T;
  throw new UnsupportedFormatVersionError(
    `key ${key} in NATS has format version ${version}, and this release reads ${VERSION}: use a newer release`,
    { expected: VERSION, actual: version },
  );
}
