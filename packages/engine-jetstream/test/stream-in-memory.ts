/**
 * A stream in memory in place of one in NATS, whose replica lags, whose former leader still
 * answers, and whose acknowledgements are lost, as often as a test says.
 */
import { JetStreamApiCodes, JetStreamApiError, type StoredMsg } from "@nats-io/jetstream";
import { headers } from "@nats-io/transport-node";
import type { MessageKind } from "../src/nats/names.ts";
import type { Outgoing, PartitionStream, ReadLimits } from "../src/nats/partition-stream.ts";

/** What becomes of a publish, besides being stored and acknowledged. */
export type Fate = "unacknowledged" | "unsent" | "late";

export class StreamInMemory {
  readonly names = { stream: "s", subject: "s" };
  maxBodyBytes = 1024 * 1024;
  readonly messages: StoredMsg[] = [];
  /** Fates of the next publishes; then all are acknowledged. */
  readonly fates: Fate[] = [];
  /** Every message that was published, whatever became of it. */
  readonly published: { readonly message: Outgoing; readonly after: number | undefined }[] = [];
  mostInFlight = 0;
  /** Number of messages at the end that direct gets do not find. */
  replicaLag = 0;
  /** Sequence of the last message that the leader knows, if a former one answers. */
  leaderKnows = Number.POSITIVE_INFINITY;
  readonly purges: number[] = [];
  /** Bytes of the bodies that each direct get returned. */
  readonly reads: number[] = [];
  /** Direct gets that are in progress. */
  reading = 0;
  #inFlight = 0;
  #last = 0;
  #late: (() => void)[] = [];

  /** What the engine takes for a stream in NATS. */
  get stream(): PartitionStream {
    return this as unknown as PartitionStream;
  }

  async publish(message: Outgoing, after?: number): Promise<number> {
    this.published.push({ message: { ...message, body: Uint8Array.from(message.body) }, after });
    this.mostInFlight = Math.max(this.mostInFlight, ++this.#inFlight);
    const fate = this.fates.shift();
    try {
      await new Promise(setImmediate);
      if (fate === "late") this.#late.push(() => void this.#store(message, after));
      if (fate === "late" || fate === "unsent") throw new Error("timeout");
      const sequence = this.#store(message, after);
      if (fate === "unacknowledged") throw new Error("timeout");
      return sequence;
    } finally {
      this.#inFlight--;
    }
  }

  /** The stream forgets the messages after a sequence, though it has acknowledged them. */
  loseAfter(sequence: number): void {
    this.messages.splice(this.messages.findIndex(({ seq }) => seq > sequence));
    this.#last = sequence;
  }

  /** Those that are late arrive now. */
  arrive(): void {
    for (const each of this.#late.splice(0)) each();
  }

  async last(kind: MessageKind): Promise<StoredMsg | undefined> {
    return this.#atLeader.findLast(({ subject }) => subject === `s.${kind}`);
  }

  async next(sequence: number, kind?: MessageKind): Promise<StoredMsg | undefined> {
    return this.#atLeader.find(({ seq, subject }) => seq >= sequence && (!kind || subject === `s.${kind}`));
  }

  async read(sequence: number, { maxBytes, maxMessages = 256, kind, arrived }: ReadLimits): Promise<StoredMsg[]> {
    this.reading++;
    const known = this.messages.filter(({ seq }) => seq <= this.#last - this.replicaLag);
    const found = known.filter(({ seq, subject }) => seq >= sequence && (!kind || subject === `s.${kind}`));
    let bytes = 0;
    const isTooMuch = ({ data }: StoredMsg, i: number) => {
      if (i === maxMessages || (i > 0 && bytes + data.length > maxBytes)) return true;
      bytes += data.length;
      return false;
    };
    const count = found.findIndex(isTooMuch);
    const read = count === -1 ? found : found.slice(0, count);
    if (read.length === 0) await new Promise(setImmediate);
    for (const message of read) {
      await new Promise(setImmediate);
      arrived?.(message);
    }
    this.reading--;
    this.reads.push(bytes);
    return read;
  }

  async purgeBefore(sequence: number): Promise<void> {
    this.purges.push(sequence);
    this.messages.splice(
      0,
      this.messages.findIndex(({ seq }) => seq >= sequence),
    );
  }

  get #atLeader(): StoredMsg[] {
    return this.messages.filter(({ seq }) => seq <= this.leaderKnows);
  }

  #store({ kind, headers: given, body }: Outgoing, after: number | undefined): number {
    if (after !== undefined && after !== this.#last) {
      const description = "wrong last sequence";
      throw new JetStreamApiError({ code: 400, err_code: JetStreamApiCodes.StreamWrongLastSequence, description });
    }
    const header = headers();
    for (const [name, value] of Object.entries(given)) header.set(name, value);
    const seq = ++this.#last;
    this.messages.push({ seq, subject: `s.${kind}`, header, data: Uint8Array.from(body) } as unknown as StoredMsg);
    return seq;
  }
}
