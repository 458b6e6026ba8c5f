/** Takes a partition over from whoever owned it. See docs/format/jetstream.md. */
import { CorruptPartitionError, UnavailableError } from "@logstore/codec";
import type { StoredMsg } from "@nats-io/jetstream";
import { isUnanswered } from "../nats/failures.js";
import type { PartitionStream } from "../nats/partition-stream.js";
import { decodeData, EPOCH_HEADER } from "./data-message.js";
import { Owner } from "./owner.js";
import { decodeState, EMPTY_STATE } from "./state-record.js";

const READ_BYTES = 4 * 1024 * 1024;

/** Another broker has taken the partition over: it is known that nothing more can be written. */
export class FencedError extends Error {}

/**
 * Resolves to the new owner. If the call rejects, the former owner may have been fenced.
 *
 * @param broker for the operator
 * @throws FencedError, CorruptPartitionError, the errors of requests
 */
export async function takeOver(stream: PartitionStream, broker: string): Promise<Owner> {
  const epoch = await storeEpoch(stream, broker);
  const state = await stream.last("state");
  if (state !== undefined && state.seq > epoch) throw new FencedError();
  let owner = new Owner(epoch, state === undefined ? EMPTY_STATE : decodeState(state));
  let writer = state === undefined ? 0 : Number(state.header.get(EPOCH_HEADER));
  for await (const message of messages(stream, (state?.seq ?? 0) + 1, epoch)) {
    if (message.subject.endsWith(".epoch")) {
      writer = message.seq;
      continue;
    }
    if (message.subject.endsWith(".state")) {
      owner = new Owner(epoch, decodeState(message)); // the leader that was asked lagged behind
      continue;
    }
    const data = decodeData(message);
    if (data.epoch !== writer) {
      throw new CorruptPartitionError(
        `message ${data.sequence} of stream ${stream.names.stream} has epoch ${data.epoch}, and ${writer} was the owner`,
        { expected: writer, actual: data.epoch },
      );
    }
    owner.replay(data);
  }
  return owner;
}

/**
 * Stores an epoch record; resolves to its sequence. If the first attempt is not answered, it may be
 * stored as well: an epoch without messages. If it is stored last, it fences this owner, which then
 * takes over again.
 */
async function storeEpoch(stream: PartitionStream, broker: string): Promise<number> {
  const record = { kind: "epoch", headers: {}, body: Buffer.from(JSON.stringify({ broker })) } as const;
  try {
    return await stream.publish(record, undefined, 0);
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    return stream.publish(record);
  }
}

/** The messages from one sequence up to another, each of them. */
async function* messages(stream: PartitionStream, from: number, end: number): AsyncGenerator<StoredMsg> {
  for (let next = from; next < end; ) {
    const found = await stream.read(next, { maxBytes: READ_BYTES });
    if (found[0]?.seq !== next) {
      const atLeader = await stream.next(next); // a replica may lag
      if (atLeader?.seq !== next) throw await missing(stream, next, end);
      found.splice(0, found.length, atLeader);
    }
    for (const message of found) {
      if (message.seq >= end) return;
      if (message.seq !== next) break; // read again from there
      yield message;
      next++;
    }
  }
}

/**
 * A later owner may have purged the message; or it was purged before, up to a later state record
 * than the one that a server told that was the leader no more.
 */
async function missing(stream: PartitionStream, sequence: number, epoch: number): Promise<Error> {
  const [last, state] = await Promise.all([stream.last("epoch"), stream.last("state")]);
  const what = `message ${sequence} of stream ${stream.names.stream} is missing`;
  if (last?.seq !== epoch || (state !== undefined && state.seq > sequence)) return new UnavailableError(what);
  return new CorruptPartitionError(`${what}, and the records that follow cannot be trusted`);
}
