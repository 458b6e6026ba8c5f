/** A group of real processes that are killed and stopped. */
import { expect, test } from "vitest";
import { runGroup } from "./group-processes/run.ts";

const seed = Number(process.env["GROUP_SEED"] ?? Math.floor(Math.random() * 1e9));

// Windows cannot stop a process and continue it.
test.skipIf(process.platform === "win32")(
  `whoever dies, every record is delivered, and each key's in order (GROUP_SEED=${seed})`,
  async () => {
    const outcome = await runGroup({ seed, members: 8, steps: 10, serverKills: 2 });
    const { acknowledged, delivered, redelivered, story, problems } = outcome;
    console.log(`${acknowledged} records acknowledged, ${delivered} delivered, ${redelivered} of them again`);
    expect(problems, `GROUP_SEED=${seed}: ${story.join(", ")}`).toEqual([]);
    expect(acknowledged).toBeGreaterThan(1_000);
  },
);
