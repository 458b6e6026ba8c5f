/** Batches of records, acknowledged when written. */
import { join } from "node:path";
import { withFreshStore } from "../fresh-store.ts";
import { against, inTurns, type Result, rate, timed } from "../measure.ts";
import { encodeAndWrite } from "../raw-file.ts";
import { batchOfRecords, RECORDS_PER_BATCH } from "../records.ts";
import type { Settings } from "../settings.ts";

export async function append({ directory, records, rounds }: Settings): Promise<Result[]> {
  const raw = join(directory, "raw");
  const { ours, plain, checked } = await inTurns(rounds, {
    plain: async () => encodeAndWrite(raw, records, { checksum: false }),
    checked: async () => encodeAndWrite(raw, records, { checksum: true }),
    ours: () =>
      withFreshStore(directory, { durability: "written" }, (store) =>
        timed(records, async () => {
          for (let i = 0; i < records; i += RECORDS_PER_BATCH) await store.appendMany(0, batchOfRecords);
        }),
      ),
  });
  const names = { name: "append, 1,000 records a batch, written", unit: "records/s" };
  const rates = ours.map(rate);
  return [
    against({ ...names, limitName: "encode + write", target: { atLeast: 0.8 } }, rates, plain.map(rate)),
    against({ ...names, limitName: "encode + CRC + write" }, rates, checked.map(rate)),
  ];
}
