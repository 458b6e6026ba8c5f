import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * They take a minute or more. Begun last, one of them would keep one processor busy while the
 * others have nothing left to do.
 */
const LONG = [
  "test/crash-sweep/sweep.test.ts",
  "src/conveyor.test.ts",
  "test/group-simulation/simulation.test.ts",
  "test/damage/flips.test.ts",
  "src/proxies.test.ts",
  "src/loop-delay/loop-delay.test.ts",
  "test/faults/io-faults.test.ts",
  "test/damage/truncations.test.ts",
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
