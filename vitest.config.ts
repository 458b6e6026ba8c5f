import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * They take a minute or more. Begun last, one of them would keep one processor busy while the
 * others have nothing left to do.
 */
const LONG = [
  "src/conveyor.test.ts",
  "src/loop-delay/loop-delay.test.ts",
  "src/hostile/hostile.test.ts",
  "test/crash-sweep/sweep.test.ts",
  "test/group-simulation/simulation.test.ts",
  "src/hostile/guarded.test.ts",
  "src/groups-contract.test.ts",
  "test/faults/io-faults.test.ts",
  "test/damage/truncations.test.ts",
  "test/fuzz/fuzz.test.ts",
  "src/proxies.test.ts",
  "src/slow-consumer.test.ts",
];

class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => LONG.some((path) => moduleId.endsWith(path));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/** The tests of all packages in one run, so that every processor has work to the end. */
export default defineConfig({
  test: {
    projects: ["packages/*/vitest.config.ts", "tests/vitest.{shared,alone}.config.ts"],
    sequence: { sequencer: LongFilesFirst },
  },
});
