/** A broker's lease as it is stored in the bucket. See docs/format/jetstream.md. */
import { decodeVersioned, encodeVersioned } from "../nats/versioned-json.js";

export interface Lease {
  /** Random id of the process. */
  readonly incarnation: string;
  /** Grows by one with each renewal. */
  readonly renewal: number;
  /** `host:port` under which the broker is reached. */
  readonly address: string;
  /** The broker is about to stop, or on standby: its partitions go to others, if there are any. */
  readonly isDraining: boolean;
}

export function encodeLease(lease: Lease): Uint8Array {
  return encodeVersioned(lease);
}

/** @throws NotALogStoreError, UnsupportedFormatVersionError */
export function decodeLease(key: string, value: Uint8Array): Lease {
  return decodeVersioned<Lease>(key, value);
}
