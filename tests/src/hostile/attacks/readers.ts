/** Readers that request much data, and read none of it or all of it at once. */
import { type ConnectOptions, connect } from "@logstore/client";
import type { Attack, Target } from "../attack.ts";
import {
  callHeaders,
  dataFrames,
  Frame,
  frame,
  grpcMessage,
  headersFrame,
  hello,
  settings,
  uint32,
} from "../frames.ts";
import { bearer, STRANGERS_BYTES_PER_SECOND } from "../guard.ts";
import { encode, Stranger } from "../stranger.ts";
import { endsOf, resetsOf, tally } from "../verdict.ts";

const TOPIC = "backlog";
const BACKLOG_BYTES = 20_000_000;

async function produceBacklog(address: string, topic = TOPIC, shown: ConnectOptions = {}): Promise<void> {
  await using client = connect(address, shown);
  if ((await client.listTopics()).some((each) => each.topic === topic)) return;
  await client.createTopic(topic, { partitions: 1 });
  const value = new Uint8Array(1_000).fill(1);
  const records = Array.from({ length: BACKLOG_BYTES / value.length }, () => ({ value, partition: 0 }));
  await client.producer(topic, { durability: "written" }).sendMany(records);
}

/**
 * Consume calls on one connection that read nothing: their windows are closed, or the connection is
 * not read. The memory that they hold together is bounded, and shared with others, such as the
 * victim.
 */
function deafReaders(name: string, calls: number, { window, maxBytes }: { window: number; maxBytes: number }): Attack {
  return {
    name,
    async run({ address, connect }: Target) {
      await produceBacklog(address);
      const connection = await connect();
      await connection.write(hello, settings([4, window]), frame(Frame.WINDOW_UPDATE, 0, 0, uint32(0x7000_0000)));
      const request = dataFrames(0, grpcMessage(encode("ConsumeRequest", { topic: TOPIC, maxBytes })), true);
      for (let call = 0; call < calls; call++) {
        const data = Buffer.from(request);
        data.writeUInt32BE(2 * call + 1, 5);
        await connection.write(headersFrame(2 * call + 1, callHeaders("Consume")), data);
      }
      if (window > 0) connection.stopReading();
      await connection.closedWithin(1_500);
      const cutOff = resetsOf([connection]);
      return endsOf([connection]) + (cutOff === "" ? "" : `; streams: ${cutOff}`);
    },
  };
}

export const readers: readonly Attack[] = [
  deafReaders("900 streams with flow-control windows of 0", 900, { window: 0, maxBytes: 0 }),
  deafReaders("900 streams of the largest messages, never read", 900, { window: 65_535, maxBytes: 0xffff_ffff }),
  deafReaders("a connection with large windows that is never read", 50, { window: 0x7fff_ffff, maxBytes: 0 }),
  {
    name: "600 Fetches at once",
    async run({ address, onEnd }) {
      await produceBacklog(address);
      const stranger = new Stranger(address);
      onEnd(() => stranger.close());
      const request = encode("FetchRequest", { topic: TOPIC, from: { edge: 1 } });
      const answers = await Promise.all(
        Array.from({ length: 600 }, () => stranger.call("/logstore.v1.LogService/Fetch", request)),
      );
      // One second after others start to wait for the memory of an unread response, its stream is
      // closed.
      const answered = answers.filter(({ status, bytes }) => status === 0 && bytes > 100_000).length;
      if (answered < answers.length / 2) throw new Error(`${answered} were answered: ${JSON.stringify(answers[0])}`);
      return tally(answers.map(({ status, message }) => (status === 0 ? "answered" : message)));
    },
  },
];

const FLOOD_MS = 3_000;

/** On a server with access control and TLS, where a principal's reads have a quota. */
export const quotaFloods: readonly Attack[] = [
  {
    name: "Fetch flood against a quota of 1 MB a second, 100 at once for 3 s",
    async run({ address, guard, onEnd }) {
      const topic = "stranger-backlog";
      await produceBacklog(address, topic, guard!.shown("stranger"));
      const stranger = new Stranger(address, guard!.channel());
      onEnd(() => stranger.close());
      const request = encode("FetchRequest", { topic, from: { edge: 1 }, maxBytes: 1_000_000 });
      const metadata = bearer(guard!.token("stranger"));
      const begun = performance.now();
      const ends: string[] = [];
      let bytes = 0;
      const fetchOn = async () => {
        while (performance.now() - begun < FLOOD_MS) {
          const answer = await stranger.call("/logstore.v1.LogService/Fetch", request, metadata);
          bytes += answer.bytes;
          ends.push(answer.status === 0 ? "answered" : (answer.detail ?? answer.message));
        }
      };
      await Promise.all(Array.from({ length: 100 }, fetchOn));
      // The quota of one second may have been saved up before, and one response may exceed it.
      const allowed = STRANGERS_BYTES_PER_SECOND * ((performance.now() - begun) / 1_000 + 2);
      if (bytes > allowed) throw new Error(`${bytes} bytes were delivered, and ${allowed} allowed`);
      return `${(bytes / 1e6).toFixed(1)} MB delivered: ${tally(ends)}`;
    },
  },
];
