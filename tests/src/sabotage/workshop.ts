/**
 * A copy of the packages in a temporary directory, in which defects are applied and removed again.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Defect } from "./defects/defect.ts";

const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url));
/** For a scenario of the conveyor. */
const SCENARIO_TIME_LIMIT_MS = 90_000;
const NO_TIME_LIMIT_MS = 3_600_000;
/** In memory where available, because the tests sync often. */
const TEMPORARY = process.env["TMPDIR"] === undefined && existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** Tests with many cases run few of them: each defect shows in many cases. */
const FEW_CASES = {
  CORE_SEED: "1",
  CORE_EVERY: "307",
  CORE_RUNS: "100",
  CORE_WORKLOADS: "1",
  CORE_RECOVERIES: "3000",
  CORE_SIMULATIONS: "120",
  CODEC_SEED: "1",
  CODEC_CASES: "30000",
  CODEC_RUNS: "300",
};

export class Workshop {
  /** Packages whose build contains a defect. */
  readonly #defective = new Set<Defect["package"]>();
  readonly #directory = mkdtempSync(join(TEMPORARY, "logstore-sabotage-"));
  /** Temporary directories of the tests, which a killed test leaves behind. */
  readonly #temporary = join(this.#directory, "tmp");

  constructor() {
    chmodSync(this.#directory, 0o755); // a test runs as another user
    mkdirSync(this.#temporary);
    for (const name of ["tsconfig.base.json", "docs", "README.md", "package.json"]) this.#copy(name);
    for (const name of ["codec", "protocol", "core", "client", "server-grpc", "engine-jetstream"])
      this.#copy(`packages/${name}`);
    this.#copy("tests");
    symlinkSync(join(REPOSITORY, "node_modules"), join(this.#directory, "node_modules"));
  }

  #copy(path: string): void {
    mkdirSync(join(this.#directory, path, ".."), { recursive: true });
    cpSync(join(REPOSITORY, path), join(this.#directory, path), { recursive: true, verbatimSymlinks: true });
  }

  /** @throws if the text does not occur exactly once */
  check({ name, file, find }: Defect): void {
    const count = occurrences(file, find);
    if (count !== 1) throw new Error(`"${name}": ${file} has this ${count} times and not once:\n${find}`);
  }

  /**
   * Runs `work` while the defect is applied to the source and to the build, which other packages
   * and processes use.
   */
  with<T>(defect: Defect, work: () => T): T {
    const path = join(this.#directory, defect.file);
    const sound = readFileSync(path, "utf8");
    for (const name of this.#defective) if (name !== defect.package) this.#build(name);
    this.#defective.clear();
    writeFileSync(
      path,
      sound.replace(defect.find, () => defect.replace),
    );
    try {
      this.#build(defect.package);
      this.#defective.add(defect.package);
      return work();
    } finally {
      writeFileSync(path, sound);
    }
  }

  #build(name: Defect["package"]): void {
    this.#run(name, [join("node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.build.json"], NO_TIME_LIMIT_MS);
  }

  /** The first test of these files that fails; undefined if all pass. */
  firstFailure(name: Defect["package"], files: readonly string[], timeLimitMs: number): string | undefined {
    const { status, error, output, report } = this.#vitest(name, ["--bail=1", ...files], timeLimitMs);
    if (status === 0) return undefined;
    if ((error as NodeJS.ErrnoException | undefined)?.code === "ETIMEDOUT") return "no end in sight";
    return (report && failedTest(report)) ?? output.slice(-600);
  }

  /** The result of each of these files. */
  results(name: Defect["package"], files: readonly string[]): FileResult[] {
    const { report } = this.#vitest(name, files, NO_TIME_LIMIT_MS);
    return (report?.testResults ?? []).map(({ name, status, startTime, endTime }) => ({
      file: withinPackage(name),
      passed: status === "passed",
      durationMs: endTime - startTime,
    }));
  }

  #vitest(name: Defect["package"], args: readonly string[], timeLimitMs: number) {
    const file = join(this.#directory, "report.json");
    rmSync(file, { force: true });
    const vitest = join("packages", name, "node_modules", "vitest", "vitest.mjs");
    // A slow machine must not count as a failure.
    const options = ["--reporter=json", `--outputFile=${file}`, "--testTimeout=60000"];
    const ran = this.#run(name, [vitest, "run", ...options, ...args], timeLimitMs);
    const report = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Report) : undefined;
    return { ...ran, report };
  }

  /**
   * Why the conveyor fails in one of these scenarios, with the current build; undefined if it
   * passes.
   */
  conveyorStop(scenarios: readonly string[]): string | undefined {
    const script = join("tests", "src", "conveyor", "quick.ts");
    const { status, output } = this.#run("core", [script, ...scenarios], SCENARIO_TIME_LIMIT_MS);
    if (status === 0) return undefined;
    return `the conveyor: ${output.trim().split("\n").at(-1)?.slice(0, 200) || "no end in sight"}`;
  }

  #run(name: Defect["package"], [script = "", ...args]: string[], timeLimitMs: number) {
    const options = {
      cwd: join(this.#directory, "packages", name),
      env: { ...process.env, ...FEW_CASES, TMPDIR: this.#temporary },
      encoding: "utf8",
      timeout: timeLimitMs,
      killSignal: "SIGKILL",
      detached: true, // the leader of its own group
    } as const;
    const ran = spawnSync(process.execPath, [join(this.#directory, script), ...args], options);
    const { status, error, stdout, stderr } = ran;
    if (error !== undefined) killGroup(ran.pid);
    return { status, error, output: stdout + stderr };
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/**
 * Kills the processes that a killed process had started: a worker of the tests may be in an endless
 * loop.
 */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // no process is left
  }
}

/** Returns how often a text occurs in a file of the repository. */
export function occurrences(file: string, text: string): number {
  return readFileSync(join(REPOSITORY, file), "utf8").split(text).length - 1;
}

export interface FileResult {
  /** Within its package. */
  readonly file: string;
  readonly passed: boolean;
  readonly durationMs: number;
}

interface Report {
  testResults: {
    name: string;
    status: string;
    startTime: number;
    endTime: number;
    message: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
}

function withinPackage(path: string): string {
  return path.replace(/^.*?packages\/[\w-]+\//, "");
}

function failedTest({ testResults }: Report): string | undefined {
  // Files that were not run to their end, because the first failure ends the run, count as failed
  // too.
  const tests = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map((test) => ({ ...test, file: withinPackage(name) })),
  );
  const failed = tests.find(({ status }) => status === "failed");
  if (failed !== undefined) return `${failed.file}: ${failed.fullName.trim()}`;
  const broken = testResults.find(({ message }) => message !== "");
  return broken && `${broken.name}: ${broken.message.slice(0, 200)}`;
}
