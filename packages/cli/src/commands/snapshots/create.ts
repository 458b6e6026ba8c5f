import type { Context } from "../../command/context.js";
import { bytes, counted } from "../../output/numbers.js";
import { recordsOf } from "./list.js";

export async function run(context: Context, _options: object, topic: string, snapshot: string): Promise<void> {
  const { client } = await context.open();
  const created = await client.createSnapshot(topic, snapshot);
  await context.output.result(
    created,
    () => `snapshot ${snapshot} of ${topic}: ${counted(recordsOf(created), "record")}, ${bytes(created.sizeBytes)}`,
  );
}
