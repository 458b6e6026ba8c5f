/**
 * Do the tests notice? Each defect of the list is built into a copy of the engine, alone, and the tests must fail:
 * `pnpm sabotage`, `pnpm sabotage --only "appends what comes twice"`, `pnpm sabotage --list`. With `--waiting`, also those that
 * wait for tests.
 */
import { parseArgs } from "node:util";
import { clientDefects } from "./client-defects.ts";
import { conveyorDefects } from "./conveyor-defects.ts";
import { type Defect, defects, slow } from "./defects.ts";
import { Workshop } from "./workshop.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    list: { type: "boolean", default: false },
    waiting: { type: "boolean", default: false },
  },
});
const wanted = [...defects, ...clientDefects, ...conveyorDefects].filter(
  ({ name, file }) => values.only?.some((part) => `${file} ${name}`.includes(part)) ?? true,
);
const chosen = values.waiting ? wanted : wanted.filter(({ waitsForTests }) => !waitsForTests);
const waiting = values.waiting ? [] : wanted.filter(({ waitsForTests }) => waitsForTests);
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
  const packages = new Set(
    chosen
      .filter(({ scenarios }) => scenarios === undefined)
      .flatMap(({ package: name }) => [name, ...dependents(name)]),
  );
  for (const name of packages) {
    const failure = workshop.firstFailure(name);
    if (failure === undefined) continue;
    console.error(`without any defect, too, this fails: ${failure}`);
    return false;
  }
  for (const scenario of new Set(chosen.flatMap(({ scenarios = [] }) => scenarios))) {
    const stop = workshop.conveyorStop([scenario]);
    if (stop === undefined) continue;
    console.error(`without any defect, too, this fails: ${scenario}: ${stop}`);
    return false;
  }
  console.log(`without a defect, the tests pass (${secondsSince(begun)} s)`);
  const survived: Defect[] = [];
  for (const [i, defect] of chosen.entries()) {
    const begun = performance.now();
    const caughtBy = workshop.with(defect, () => catchDefect(defect));
    workshop.restore(defect.package);
    if (caughtBy === undefined) survived.push(defect);
    console.log(`${i + 1}/${chosen.length} ${defect.file}: ${defect.name}`);
    console.log(`    ${caughtBy === undefined ? "SURVIVED" : `caught by ${caughtBy}`} (${secondsSince(begun)} s)`);
  }
  console.log(
    `${chosen.length - survived.length} of ${chosen.length} defects were caught, in ${secondsSince(begun)} s`,
  );
  if (waiting.length > 0) console.log(`${waiting.length} more wait for tests`);
  for (const { file, name } of survived) console.log(`survived: ${file}: ${name}`);
  return survived.length === 0;
}

/** The likely tests first, the quick ones of them above all; then the rest, of the dependent packages too. */
function catchDefect({ package: name, catchers, scenarios }: Defect): string | undefined {
  workshop.build(name);
  if (scenarios !== undefined) return workshop.conveyorStop(scenarios);
  const quick = catchers.filter((file) => !slow.includes(file));
  for (const files of [quick, catchers.filter((file) => slow.includes(file))]) {
    const caughtBy = files.length > 0 ? workshop.firstFailure(name, { only: files }) : undefined;
    if (caughtBy !== undefined) return caughtBy;
  }
  for (const each of [name, ...dependents(name)]) {
    const caughtBy = workshop.firstFailure(each, { without: each === name ? catchers : [] });
    if (caughtBy !== undefined) return caughtBy;
  }
  return undefined;
}

/** Packages whose tests use this one. */
function dependents(name: Defect["package"]): Defect["package"][] {
  return name === "codec" ? ["core"] : [];
}

function secondsSince(begun: number): string {
  return ((performance.now() - begun) / 1000).toFixed(1);
}
