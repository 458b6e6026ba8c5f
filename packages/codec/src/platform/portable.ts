/**
 * The fallback for browsers and other run-times. They have no synchronous compression; an
 * application may register its own.
 */
import type { Platform } from "./platform.js";

export const platform: Platform = {
  allocate: (length) => new Uint8Array(length),
  crc32c: undefined,
  gzip: undefined,
  zstd: undefined,
};
