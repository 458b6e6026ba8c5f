/**
 * Reads at another broker. What it sends counts in the memory budget of the own readers, one
 * message for each of them.
 */
import type {
  ConsumeEvent,
  ConsumeOptions,
  ConsumeRequest,
  FetchOptions,
  FetchRequest,
  FetchResult,
  LogApi,
  OwnedBatches,
  ReadBudget,
} from "@logstore/protocol";
import { stoppingError } from "../services/running-calls.js";
import { DEFAULT_CONSUME_BYTES } from "../transport/limits.js";

/**
 * A message is in memory before it can be counted. Larger ones than this would hardly be faster.
 */
const MAX_BYTES = DEFAULT_CONSUME_BYTES;

export async function* consumeFromPeer(
  peer: LogApi,
  request: ConsumeRequest,
  { signal, budget }: ConsumeOptions = {},
): AsyncGenerator<ConsumeEvent, void, undefined> {
  for await (const event of peer.consume({ ...request, maxBytes: atMost(request.maxBytes) }, { signal })) {
    yield event.type === "batches" ? await counted(event, budget) : event;
  }
}

export async function fetchFromPeer(
  peer: LogApi,
  request: FetchRequest,
  { signal, budget }: FetchOptions = {},
): Promise<FetchResult> {
  const maxBytes = Math.max(atMost(request.maxBytes), request.minBytes ?? 0);
  const fetched = peer.fetch({ ...request, maxBytes }, { signal }).catch((error) => {
    throw signal?.aborted ? stoppingError() : error; // with the signal's reason, it is no LogStoreError
  });
  return counted(await fetched, budget);
}

function atMost(maxBytes = MAX_BYTES): number {
  return Math.min(maxBytes, MAX_BYTES);
}

async function counted<Read extends OwnedBatches>(read: Read, budget: ReadBudget | undefined): Promise<Read> {
  const { length } = read.batches;
  if (budget === undefined || length === 0) return read;
  const takenBytes = await budget.take(length, length);
  return { ...read, release: () => budget.giveBack(takenBytes) };
}
