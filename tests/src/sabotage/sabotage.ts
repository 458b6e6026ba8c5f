/**
 * Do the tests notice? Each defect of the list is built into a copy of the engine, alone, and the tests must fail:
 * `pnpm sabotage`, `pnpm sabotage --only "appends what comes twice"`, `pnpm sabotage --list`.
 */
import { parseArgs } from "node:util";
import { type Defect, defects } from "./defects.ts";
import { Workshop } from "./workshop.ts";

const { values } = parseArgs({
  options: { only: { type: "string", multiple: true }, list: { type: "boolean", default: false } },
});
const chosen = defects.filter(
  ({ name, file }) => values.only?.some((part) => `${file} ${name}`.includes(part)) ?? true,
);
if (values.list) {
  for (const { name, file } of chosen) console.log(`${file}: ${name}`);
  process.exit(0);
}

const workshop = new Workshop();
try {
  process.exitCode = run() ? 0 : 1;
} finally {
  workshop.close();
}

function run(): boolean {
  for (const defect of chosen) workshop.check(defect);
  for (const name of ["codec", "core"] as const) {
    const failure = workshop.firstFailure(name, values.only && catchersIn(name));
    if (failure === undefined) continue;
    console.error(`without any defect, too, this fails: ${failure}`);
    return false;
  }
  const survived: Defect[] = [];
  for (const [i, defect] of chosen.entries()) {
    const begun = performance.now();
    const caughtBy = workshop.with(defect, () => catchDefect(defect));
    workshop.restore(defect.package);
    if (caughtBy === undefined) survived.push(defect);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    console.log(`${i + 1}/${chosen.length} ${defect.file}: ${defect.name}`);
    console.log(`    ${caughtBy === undefined ? "SURVIVED" : `caught by ${caughtBy}`} (${seconds} s)`);
  }
  console.log(`${chosen.length - survived.length} of ${chosen.length} defects were caught`);
  for (const { file, name } of survived) console.log(`survived: ${file}: ${name}`);
  return survived.length === 0;
}

function catchersIn(name: Defect["package"]): string[] {
  return [...new Set(chosen.filter((defect) => defect.package === name).flatMap(({ catchers }) => catchers))];
}

/** The likely tests first; then all, of both packages, with what is built: some start processes of their own. */
function catchDefect(defect: Defect): string | undefined {
  const likely = workshop.firstFailure(defect.package, defect.catchers);
  if (likely !== undefined) return likely;
  workshop.build(defect.package);
  const own = workshop.firstFailure(defect.package);
  return own ?? (defect.package === "codec" ? workshop.firstFailure("core") : undefined);
}
