/**
 * Single records from many concurrent appenders, each of which waits for its record to be written
 * before it sends the next.
 */
import { withFreshStore } from "../fresh-store.ts";
import { figure, inTurns, type Result, rate, timed } from "../measure.ts";
import { record } from "../records.ts";
import type { Settings } from "../settings.ts";

const IN_FLIGHT = 1_000;

export async function singleAppends({ directory, records, rounds }: Settings): Promise<Result[]> {
  const each = Math.ceil(records / IN_FLIGHT);
  const { ours } = await inTurns(rounds, {
    ours: () =>
      withFreshStore(directory, { durability: "written" }, (store) => {
        const appender = async () => {
          for (let i = 0; i < each; i++) await store.append(record.key, record.value);
        };
        return timed(each * IN_FLIGHT, async () => {
          await Promise.all(Array.from({ length: IN_FLIGHT }, appender));
        });
      }),
  });
  const name = `append(), ${IN_FLIGHT.toLocaleString("en")} in flight, written`;
  return [figure({ name, unit: "records/s", target: { atLeast: 500_000 } }, ours.map(rate))];
}
