/**
 * An offset, an end of the log, or the first record appended at or after a time (ms since the
 * epoch).
 */
export type Position = number | "earliest" | "latest" | { readonly time: number };
