/** Runs the engine contract for the engines of this package. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileEngine } from "../src/file-engine/file-engine.js";
import { MemoryEngine } from "../src/memory-engine/memory-engine.js";
import { MemoryHome } from "../src/memory-engine/memory-home.js";
import { engineContract } from "./engine-contract/engine-contract.js";

engineContract("files", false, async () => {
  const directory = await mkdtemp(join(tmpdir(), "logstore-core-"));
  return {
    isShared: false,
    open: () => FileEngine.open(directory),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
});

engineContract("memory", true, async () => {
  const home = new MemoryHome();
  return { isShared: true, open: async () => new MemoryEngine(home) };
});
