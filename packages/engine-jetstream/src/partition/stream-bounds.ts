/** The bounds of a log, as the stream's leader knows them, and the space of deleted records. */
import type { LogBounds } from "@logstore/core/engine";
import type { PartitionStream } from "../nats/partition-stream.js";
import { decodeData } from "./data-message.js";
import type { MessageSource } from "./message-source.js";
import { decodeState } from "./state-record.js";

/** Every stored message may be read: the log end is the high watermark. */
export async function boundsOf(stream: PartitionStream): Promise<Pick<LogBounds, "logStart" | "logEnd">> {
  const [data, found] = await Promise.all([stream.last("data"), stream.last("state")]);
  const state = found && decodeState(found);
  // The last data message is never purged, but the state may be newer.
  const logEnd = Math.max(data === undefined ? 0 : decodeData(data).nextOffset, state?.logEnd ?? 0);
  return { logStart: state?.logStart ?? 0, logEnd };
}

/**
 * Frees the space of the records before the log start offset, which a state record holds. If that
 * fails, a later call does it: they are deleted all the same.
 */
export async function purgeDeleted(
  stream: PartitionStream,
  source: MessageSource,
  { logStart, highWatermark }: LogBounds,
): Promise<void> {
  try {
    const [data, state] = await Promise.all([stream.last("data"), stream.last("state")]);
    if (data === undefined || state === undefined) return;
    const isEmpty = logStart >= highWatermark;
    const first = isEmpty ? data.seq : (await source.first((each) => each.nextOffset > logStart))?.sequence;
    if (first === undefined) return; // whoever was asked lags behind
    const sequence = Math.min(first, data.seq, state.seq);
    await stream.purgeBefore(sequence);
    source.removeBefore(sequence);
  } catch {
    // said above
  }
}
