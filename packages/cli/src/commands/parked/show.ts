import type { Context } from "../../command/context.js";
import { CliError } from "../../errors/cli-error.js";
import { exitCodes } from "../../errors/exit-codes.js";
import { counted, time } from "../../output/numbers.js";
import { printable } from "../../output/printable.js";
import { hexDump } from "../../values/hex-dump.js";
import { textOf } from "../../values/text-or-bytes.js";
import { parkedJson } from "./list.js";

/** Shows one parked record with all its details. */
export async function run(
  context: Context,
  _options: object,
  topic: string,
  group: string,
  parkedOffset: number,
): Promise<void> {
  const { client } = await context.open();
  for await (const record of client.parked(topic, group)) {
    if (record.parkedOffset !== parkedOffset) continue;
    const { output } = context;
    await output.result(parkedJson(record), () => {
      const { partition, offset, timestamp, key, value, headers, reason, attempts, parkedAt, isLeftOut } = record;
      const facts: [string, string | undefined][] = [
        ["from", `${topic}, partition ${partition}, offset ${offset}`],
        ["time", time(timestamp)],
        ["parked", `${time(parkedAt)}, after ${counted(attempts, "attempt")}`],
        ["reason", output.style("red", printable(reason))],
        ["key", key === null ? undefined : printable(textOf(key) ?? "(not text)")],
        ...headers.map((each): [string, string] => [
          "header",
          `${printable(each.name)}=${printable(textOf(each.value) ?? "(not text)")}`,
        ]),
      ];
      const shown = isLeftOut ? "(too large to be kept here; it may still be where it came from)" : textOf(value);
      return [
        ...facts.map(([name, text]) => `${output.style("bold", name.padEnd(6))}  ${text ?? "-"}`),
        "",
        shown === undefined ? hexDump(value) : shown.split("\n").map(printable).join("\n"),
      ];
    });
    return;
  }
  throw new CliError("NOT_PARKED", `offset ${parkedOffset} is no parked record, or was replayed`, {
    exitCode: exitCodes.notFound,
    hint: `logstore parked list ${topic} ${group} shows those that there are`,
  });
}
