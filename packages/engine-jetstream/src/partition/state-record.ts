/** A state record: the owner's checkpoint. See docs/format/jetstream.md. */
import { gunzipSync, gzipSync } from "node:zlib";
import { CorruptPartitionError, UnsupportedFormatVersionError } from "@logstore/codec";
import type { ProducerSnapshot } from "@logstore/core/engine";
import type { StoredMsg } from "@nats-io/jetstream";
import type { Outgoing } from "../nats/partition-stream.js";
import { EPOCH_HEADER } from "./data-message.js";

const VERSION = 1;

export interface State {
  readonly logStart: number;
  readonly logEnd: number;
  /** Of the last record, in ms since the epoch; 0 if there was none. */
  readonly appendTime: number;
  /** Bytes of all data bodies. */
  readonly position: number;
  /** Sequence of the last data message; 0 if there was none. */
  readonly lastData: number;
  readonly producers: readonly ProducerSnapshot[];
}

export const EMPTY_STATE: State = { logStart: 0, logEnd: 0, appendTime: 0, position: 0, lastData: 0, producers: [] };

/** Leaves out the least recently used producers if all of them do not fit. */
export function encodeState(state: State, epoch: number, maxBodyBytes: number): Outgoing {
  let { producers } = state;
  for (;;) {
    const body = gzipSync(JSON.stringify({ version: VERSION, ...state, producers }));
    if (body.length <= maxBodyBytes) return { kind: "state", headers: { [EPOCH_HEADER]: `${epoch}` }, body };
    producers = producers.slice(Math.ceil(producers.length / 4));
  }
}

/** @throws CorruptPartitionError, UnsupportedFormatVersionError */
export function decodeState({ seq, data }: StoredMsg): State {
  let decoded: State & { version: number };
  try {
    decoded = JSON.parse(gunzipSync(data).toString());
  } catch (cause) {
    throw new CorruptPartitionError(`message ${seq} of the partition's stream is no state record`, {}, { cause });
  }
  const { version, ...state } = decoded;
  if (version === VERSION) return state;
  throw new UnsupportedFormatVersionError(
    `a partition in NATS has format version ${version}, and this release reads ${VERSION}: use a newer release`,
    { expected: VERSION, actual: version },
  );
}
