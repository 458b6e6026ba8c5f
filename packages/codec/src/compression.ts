/**
 * Compression codecs by id. The id is in the batch header; the records of a batch are compressed
 * together.
 */
import { platform } from "#platform";
import { InvalidArgumentError, UnsupportedCompressionError } from "./errors.js";
import type { Compressor } from "./platform/platform.js";

export type { Compressor, Unpacked } from "./platform/platform.js";

export const NO_COMPRESSION = 0;
const FIRST_OWN_ID = 64;
const LAST_OWN_ID = 127;

interface NamedCompressor {
  readonly name: string;
  readonly compressor: Compressor | undefined;
}

const compressorsById = new Map<number, NamedCompressor>([
  [1, { name: "gzip", compressor: platform.gzip }],
  [2, { name: "zstd", compressor: platform.zstd }],
]);

/** "none", "gzip", "zstd", or a name registered with {@link registerCompression}. */
export type CompressionName = "none" | "gzip" | "zstd" | (string & {});

/**
 * Registers a compression codec under a name and an id from 64 to 127, or supplies gzip (1) or zstd
 * (2) on a run-time that lacks it. Every process that reads the log must register the same codec.
 */
export function registerCompression(id: number, name: string, compressor: Compressor): void {
  const known = compressorsById.get(id);
  const own = id >= FIRST_OWN_ID && id <= LAST_OWN_ID && Number.isInteger(id);
  const numberIsFree = own ? known === undefined || known.name === name : known?.name === name;
  const nameIsFree =
    name !== "none" && ![...compressorsById].some(([other, { name: taken }]) => other !== id && taken === name);
  if (!numberIsFree || !nameIsFree) {
    throw new InvalidArgumentError(
      `compression ${id} cannot be registered as "${name}": use a free name and a free number from ${FIRST_OWN_ID} to ${LAST_OWN_ID}`,
    );
  }
  compressorsById.set(id, { name, compressor });
}

/** Returns the compression names that have an implementation on this platform, "none" included. */
export function compressionNames(): CompressionName[] {
  const available = [...compressorsById.values()].filter(({ compressor }) => compressor !== undefined);
  return ["none", ...available.map(({ name }) => name)];
}

/** Returns the id of a compression name: 0 for "none". */
export function compressionId(name: CompressionName): number {
  if (name === "none") return NO_COMPRESSION;
  for (const [id, known] of compressorsById) if (known.name === name) return id;
  throw new UnsupportedCompressionError(`compression "${name}" is not known: use none, gzip, zstd or register it`);
}

export function compressionName(id: number): string | undefined {
  return id === NO_COMPRESSION ? "none" : compressorsById.get(id)?.name;
}

export function compressor(id: number): Compressor {
  const known = compressorsById.get(id);
  if (known?.compressor === undefined) {
    const name = known ? `"${known.name}"` : `number ${id}`;
    throw new UnsupportedCompressionError(
      `compression ${name} is not available here: register an implementation with registerCompression`,
      { actual: id },
    );
  }
  return known.compressor;
}
