/**
 * The fallback for browsers and other run-times. They have no synchronous compression; an
 * application may register its own.
 */
import type { Platform } from "./platform.js";

const encoder = new TextEncoder();

export const platform: Platform = {
  allocate: (length) => new Uint8Array(length),
  utf8Length: undefined,
  writeUtf8: (bytes, at, text, byteLength) => void encoder.encodeInto(text, bytes.subarray(at, at + byteLength)),
  gzip: undefined,
  zstd: undefined,
};
