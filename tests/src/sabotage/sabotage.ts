/**
 * Mutation testing: applies each defect of the list, on its own, to a copy of the packages, and
 * checks that the tests that its entry names fail: `pnpm sabotage`,
 * `pnpm sabotage --only "appends what comes twice"`, `pnpm sabotage --shard 1/4`,
 * `pnpm sabotage --list`. With `--waiting`, also the entries that wait for tests.
 */
import { parseArgs } from "node:util";
import { Baseline } from "./baseline.ts";
import { allDefects } from "./defects/all.ts";
import { slow } from "./defects/catchers.ts";
import type { Defect } from "./defects/defect.ts";
import { Workshop } from "./workshop.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    shard: { type: "string", default: "1/1" },
    list: { type: "boolean", default: false },
    waiting: { type: "boolean", default: false },
  },
});
const [shard, shards] = values.shard.split("/").map(Number) as [number, number];
const wanted = allDefects
  .filter(({ name, file }) => values.only?.some((part) => `${file} ${name}`.includes(part)) ?? true)
  .filter((_, i) => i % shards === shard - 1);
const chosen = values.waiting ? wanted : wanted.filter(({ waitsForTests }) => !waitsForTests);
const waiting = wanted.length - chosen.length;
if (values.list) {
  for (const { name, file, waitsForTests } of wanted)
    console.log(`${file}: ${name}${waitsForTests ? " (waits for tests)" : ""}`);
  process.exit(0);
}

const workshop = new Workshop();
try {
  process.exitCode = run() ? 0 : 1;
} finally {
  workshop.close();
}

function run(): boolean {
  const begun = performance.now();
  for (const defect of wanted) workshop.check(defect);
  const sound = new Baseline(workshop, chosen);
  console.log(`the tests that ${chosen.length} entries name were run without a defect (${secondsSince(begun)} s)`);
  const counts = { caught: 0, survived: 0, "not judged": 0 };
  for (const [i, defect] of chosen.entries()) {
    const begun = performance.now();
    const { verdict, by } = judge(defect, sound);
    counts[verdict]++;
    const place = `${i + 1}/${chosen.length} ${defect.file}: ${defect.name}`;
    console.log(`${verdict.toUpperCase()} ${place}${by === "" ? "" : `: ${by}`} (${secondsSince(begun)} s)`);
  }
  console.log(`${JSON.stringify(counts)} of ${chosen.length} defects, in ${secondsSince(begun)} s`);
  if (waiting > 0) console.log(`${waiting} more wait for tests`);
  return counts.caught === chosen.length;
}

interface Judgement {
  readonly verdict: "caught" | "survived" | "not judged";
  /** The test that failed, or why there is no result. */
  readonly by: string;
}

function judge(defect: Defect, sound: Baseline): Judgement {
  const { package: name, scenarios, catchers } = defect;
  const failing = (scenarios ?? catchers).filter((catcher) => !sound.passes(name, catcher));
  if (failing.length > 0) return { verdict: "not judged", by: `without a defect, too, ${failing.join(", ")} fails` };
  const by = workshop.with(defect, () => {
    if (scenarios !== undefined) return workshop.conveyorStop(scenarios);
    // The fast ones first.
    for (const isSlow of [false, true]) {
      const files = catchers.filter((file) => slow.includes(file) === isSlow);
      if (files.length === 0) continue;
      const failed = workshop.firstFailure(name, files, sound.timeLimitMs(name, files));
      if (failed !== undefined) return failed;
    }
    return undefined;
  });
  return by === undefined ? { verdict: "survived", by: "" } : { verdict: "caught", by };
}

function secondsSince(begun: number): string {
  return ((performance.now() - begun) / 1000).toFixed(1);
}
