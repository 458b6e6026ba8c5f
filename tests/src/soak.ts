/**
 * The long-running reliability tests, all in turn or those named: `pnpm soak --only kill --runs
 * 1000 --kills 5 --seed 1`, `pnpm soak --only sweep --only fuzz`. Takes hours.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { killForLong } from "./kill-9-soak.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    seed: { type: "string", default: "1" },
    runs: { type: "string", default: "167" },
    kills: { type: "string", default: "5" },
    records: { type: "string", default: "2000" },
    recoveries: { type: "string", default: "1000000" },
    nested: { type: "string", default: "100000" },
    workloads: { type: "string", default: "1000" },
    models: { type: "string", default: "100000" },
    cases: { type: "string", default: "100000000" },
  },
});
const { seed } = values;

const parts: Record<string, () => boolean | Promise<boolean>> = {
  kill: () =>
    killForLong({
      runs: Number(values.runs),
      kills: Number(values.kills),
      recordsPerKill: Number(values.records),
      seed: Number(seed),
    }),
  sweep: () => {
    const flags = ["--recoveries", values.recoveries, "--nested", values.nested, "--seed", seed];
    return run("core", ["--import", "./test/from-source.mjs", "test/crash-sweep/main.ts", ...flags]);
  },
  damage: () => vitest("core", "test/damage", { CORE_EVERY: "1", CORE_SEED: seed }),
  faults: () => vitest("core", "test/faults", { CORE_EVERY: "1", CORE_WORKLOADS: values.workloads, CORE_SEED: seed }),
  model: () => vitest("core", "src/store/model", { CORE_RUNS: values.models, CORE_SEED: seed }),
  fuzz: () => vitest("codec", "test/fuzz", { CODEC_CASES: values.cases, CODEC_SEED: seed }),
};

function vitest(name: string, files: string, variables: Record<string, string>): boolean {
  return run(name, ["node_modules/vitest/vitest.mjs", "run", files], variables);
}

function run(name: string, command: readonly string[], variables: Record<string, string> = {}): boolean {
  const cwd = fileURLToPath(new URL(`../../packages/${name}/`, import.meta.url));
  const env = { ...process.env, ...variables };
  return spawnSync(process.execPath, command, { cwd, env, stdio: "inherit" }).status === 0;
}

const names = values.only.length > 0 ? values.only : Object.keys(parts);
for (const name of names) {
  const part = parts[name];
  if (part === undefined) throw new Error(`there is no ${name}: there are ${Object.keys(parts).join(", ")}`);
  console.log(`${name}, seed ${seed}`);
  if (!(await part())) {
    console.error(`${name} failed`);
    process.exitCode = 1;
  }
}
