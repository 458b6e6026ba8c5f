/** An offset, an end of the log, or the first record appended at a time or later. */
export type Position = number | "earliest" | "latest" | { readonly time: number };
