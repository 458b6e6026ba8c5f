/** Whoever asks for much and takes nothing. */
import { connect } from "@logstore/client";
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
import { encode } from "../stranger.ts";
import { endsOf, resetsOf } from "../verdict.ts";

const TOPIC = "backlog";
const BACKLOG_BYTES = 20_000_000;

async function produceBacklog(address: string): Promise<void> {
  await using client = connect(address);
  if ((await client.listTopics()).some(({ topic }) => topic === TOPIC)) return;
  await client.createTopic(TOPIC, { partitions: 1 });
  const value = new Uint8Array(1_000).fill(1);
  const records = Array.from({ length: BACKLOG_BYTES / value.length }, () => ({ value, partition: 0 }));
  await client.producer(TOPIC, { durability: "written" }).sendMany(records);
}

/**
 * Consume calls on one connection that take nothing: their windows are closed, or the connection is not read. What they hold
 * together is bounded, and others want some of it: the victim, to begin with.
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
  deafReaders("900 streams opened with closed windows", 900, { window: 0, maxBytes: 0 }),
  deafReaders("900 streams of the largest messages, never read", 900, { window: 65_535, maxBytes: 0xffff_ffff }),
  deafReaders("a connection with open windows that is never read", 50, { window: 0x7fff_ffff, maxBytes: 0 }),
];
