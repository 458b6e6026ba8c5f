/** Describes the server's reaction. */
import { constants } from "node:http2";
import type { RawConnection } from "./raw-connection.ts";

const names = Object.entries(constants).filter(([name]) => /^NGHTTP2_[A-Z_]+$/.test(name));
const errorNames = new Map(
  [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
  ].map((name) => [names.find(([known]) => known === `NGHTTP2_${name}`)?.[1] as number, name]),
);

/** "3 of 5 connections ended with ENHANCE_YOUR_CALM, 2 held" */
export function endsOf(connections: readonly RawConnection[]): string {
  const ends = tally(connections.map(endOf));
  return `${connections.length} connection${connections.length === 1 ? "" : "s"}: ${ends}`;
}

function endOf({ wasEnded, goaway }: RawConnection): string {
  if (goaway !== undefined) return errorNames.get(goaway) ?? `error ${goaway}`;
  return wasEnded ? "closed" : "held";
}

/** "3 a, 2 b": each distinct text with its number of occurrences. */
export function tally(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].map(([text, count]) => `${count} ${text}`).join(", ");
}

/** "1 REFUSED_STREAM, 4 CANCEL" for the resets received. */
export function resetsOf(connections: readonly RawConnection[]): string {
  return tally(
    connections.flatMap(({ resets }) =>
      [...resets].flatMap(([code, count]) => new Array<string>(count).fill(errorNames.get(code) ?? `error ${code}`)),
    ),
  );
}
