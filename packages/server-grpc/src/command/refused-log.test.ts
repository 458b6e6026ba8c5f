import { pino } from "pino";
import { expect, test } from "vitest";
import { refusedLog } from "./refused-log.js";

const refusal = { refused: "call", peer: "10.0.0.7:51234", method: "/m", reason: "no credentials" } as const;

test("each refusal is one line up to a rate; the number of omitted ones is logged", () => {
  const lines: Record<string, unknown>[] = [];
  let now = 0;
  const tell = refusedLog(
    pino({ base: null, timestamp: false }, { write: (line) => lines.push(JSON.parse(line)) }),
    () => now,
  );
  tell(refusal);
  expect(lines).toEqual([
    { level: 40, peer: "10.0.0.7:51234", method: "/m", reason: "no credentials", msg: "a call was refused" },
  ]);
  for (let i = 0; i < 1_000; i++) tell({ ...refusal, refused: "connection" });
  expect(lines).toHaveLength(10);
  now += 100;
  tell(refusal);
  expect(lines.at(-1)).toMatchObject({ msg: "a call was refused", leftOut: 991 });
  now += 100;
  tell(refusal);
  expect(lines.at(-1)).not.toHaveProperty("leftOut");
});
