/**
 * Types of the platform that appear in the API. Declarations that name them directly compile only
 * where a library declares them (`dom`, or `@types/node`): these compile everywhere, and are the
 * platform's own types where there are any.
 */

/** The part of an AbortSignal that calls use. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** The platform's AbortSignal. */
export type CancelSignal = typeof globalThis extends { AbortSignal: { prototype: infer Signal } }
  ? Signal
  : AbortSignalLike;

/** The platform's URL. */
export type FileUrl = typeof globalThis extends { URL: { prototype: infer Url } } ? Url : { readonly href: string };
