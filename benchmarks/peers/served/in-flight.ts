/** Sends batches, with a bounded number of them not acknowledged. */
import type { Batch, Source } from "../../src/contestants/values.ts";

export async function sendInFlight(source: Source, send: (batch: Batch) => Promise<unknown>): Promise<void> {
  const underWay: Promise<unknown>[] = [];
  for (let batch = source.next(); batch !== undefined; batch = source.next()) {
    underWay.push(send(batch));
    // In order, since the memory of the oldest batch is the next to be used again.
    if (underWay.length >= source.inFlight) await underWay.shift();
  }
  await Promise.all(underWay);
}
