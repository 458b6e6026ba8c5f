/** Defects of the storage, and the small files. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source text
import {
  BROKER,
  FAULTS,
  FIGHT,
  FLUSH,
  GOLDEN,
  GUARD,
  LOCK,
  POOL,
  POWER_CUTS,
  RECOVERY,
  SNAPSHOT_CRASH,
  SNAPSHOTS,
  STORE,
  STORE_SNAPSHOT,
  SWEEP,
  TORN,
} from "./catchers.ts";
import { type Defect, within } from "./defect.ts";

export const coreStorageDefects: readonly Defect[] = [
  ...within("core/storage/copy-range.ts", ["src/storage/copy-range.test.ts", TORN], {
    "copies every piece to the same place": ["toStart + at - start", "toStart"],
  }),
  ...within("core/files/checked-json.ts", [GOLDEN, RECOVERY], {
    "does not check the checkpoint's checksum": [
      'if (end === 0 || bytes.toString("latin1", end) !== `${hexCrc(bytes.subarray(0, end))}\\n`) return undefined;',
      "if (end === 0) return undefined;",
      "waits for tests",
    ],
    "does not check the checksum of store.json": [
      "isIntact: crc === hexCrc(Buffer.from(JSON.stringify(fields))) };",
      "isIntact: true };",
      "waits for tests",
    ],
    "does not write the checksum of store.json": ["{ ...fields, crc }, null, 2)", "{ ...fields }, null, 2)"],
  }),
  ...within("core/files/checkpoint-file.ts", [GOLDEN, RECOVERY], {
    "knows no gaps": [
      "from <= offset && offset < to && to === nextBaseOffset",
      "from > offset && offset < to && to === nextBaseOffset",
    ],
    "reads a newer checkpoint": ["parsed?.formatVersion !== CHECKPOINT_FORMAT_VERSION", "parsed === undefined"],
  }),
  ...within("core/files/watermarks-file.ts", [FLUSH, GOLDEN, BROKER], {
    "believes damaged watermarks": [
      "if (slot.readUInt32LE(CRC_OFFSET) !== crc32c(slot, 0, CRC_OFFSET)) return undefined;",
      "",
    ],
    "writes every partition's watermarks to the same place": [
      "[encodeSlot(bounds)], partition * SLOT_LENGTH)",
      "[encodeSlot(bounds)], 0)",
      "waits for tests",
    ],
    "fails an append for the sake of other processes": [
      "partition * SLOT_LENGTH)?.catch(() => {});",
      "partition * SLOT_LENGTH);",
    ],
  }),
  ...within("core/files/marker-file.ts", [STORE, BROKER, GOLDEN, RECOVERY], {
    "makes a store among other files": ["if (foreign === undefined) return undefined;", "return undefined;"],
    "opens a store of a newer release": [
      "if (found === formatVersion) return marker as Marker & Partial<Content>;",
      "if (found! >= formatVersion) return marker as Marker & Partial<Content>;",
    ],
  }),
  ...within("core/storage/atomic-file.ts", [TORN, FAULTS, POWER_CUTS, SNAPSHOTS, SWEEP], {
    "does not sync a new file": ["await file.sync();", ""],
    "does not sync a rename": ["await storage.syncDirectory(directory);", ""],
    "writes over the file itself": [
      "await storage.rename(temporary, `${directory}/${name}`);",
      "await writeNewFile(storage, `${directory}/${name}`, fill);",
    ],
  }),
  ...within("core/storage/atomic-directory.ts", [SNAPSHOTS, SNAPSHOT_CRASH, BROKER], {
    "fills a directory in its place": [
      "const filled = await fill(unfinished);",
      "const filled = await fill(directory);",
    ],
    "removes a directory in its place": [
      "await storage.rename(directory, deleted);",
      "await storage.removeDirectory(directory);",
    ],
    "does not sync that a directory is gone": ["  await syncNames();\n", ""],
    "leaves what it could not fill": ["await storage.removeDirectory(unfinished).catch(() => {});", ""],
    "leaves what it removed": ["await storage.removeDirectory(deleted).catch(() => {});", ""],
  }),
  ...within("core/storage/pooled-file.ts", [FAULTS, POOL, STORE], {
    "does not sync what it closes for now": [
      "if (this.#isDirty && this.#failure === undefined) {",
      "if (this.#users < 0) {",
    ],
    "ignores a failed sync of what it closes for now": [
      "await file?.sync().catch((error: unknown) => {\n        this.#pool.note(error, SYNCING, this.#path);\n        this.#failure = { error };",
      "await file?.sync().catch((error: unknown) => {\n        this.#pool.note(error, SYNCING, this.#path);",
    ],
    "forgets that a file was written to": [
      "this.#isDirty = true;\n      return file.write(buffers",
      "return file.write(buffers",
    ],
    "forgets that a file was written to at once": [
      "this.#isDirty = true;\n      return file.writeNow",
      "return file.writeNow",
    ],
    "takes what is written to at once for unused": ["this.#pool.wasUsed(this);", ""],
    "tries a failed sync again": ["await file.sync();", "await file.sync().catch(() => file.sync());"],
    "takes writes after a failed sync": [
      "this.#failure = { error }; // the sync must not be retried when the file is closed",
      "",
    ],
    "closes files in use": ["if (this.#users++ === 0) this.#pool.busy(this);", "this.#users++;"],
  }),
  ...within("core/storage/file-pool.ts", [FAULTS, POOL, STORE], {
    "lets go of a slice twice": ["if (!isHeld) return;", ""],
  }),
  ...within("core/storage/descriptor-slots.ts", [POOL, STORE], {
    "opens more files than it may": ["if (this.#openFiles < this.#maxOpenFiles) {", "if (this.#openFiles >= 0) {"],
    "gives up where the system has no more files": ["if (!isTooMany) throw error;", "throw error;"],
  }),
  ...within("core/storage/directory-lock.ts", [LOCK, GUARD], {
    "does not look whether it still has the lock": ["if (!lock.isHeld()) throw lost(directory);", ""],
    "keeps the lock where its file cannot be removed": [
      "release: () => runAll(removeLockFile, () => lock.release()),",
      "release: () => removeLockFile().then(() => lock.release()),",
    ],
  }),
  ...within("core/storage/socket-lock.ts", [LOCK, FIGHT], {
    "locks nobody out": [
      "for (const epoch of epochs) if (await isAlive(this.#address(lockName(epoch)))) return true;",
      "",
    ],
    "takes a live owner's name for a dead one's": [
      "resolve(true);\n    });\n    socket.once",
      "resolve(false);\n    });\n    socket.once",
    ],
    "cuts long paths": ["if (Buffer.byteLength(path) <= maxBytes) return path;", "if (path) return path;"],
    "takes a long path where there is no /proc": ['if (this.#platform === "linux")', "if (this.#platform)"],
    "leaves the dead where they are": ["await place.removeDead(others);", ""],
  }),
  ...within("core/storage/directory-guard.ts", [GUARD], {
    "does not look which directory it is": [
      "if (identity === undefined || identity === found) {",
      "if (identity === found || true) {",
    ],
    "believes in a directory that comes back": ["if (this.#failure !== undefined) throw this.#failure;", ""],
    "looks at nothing while nobody writes": ["this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS);", ""],
  }),
  ...within("core/storage/node-storage.ts", [GUARD], {
    "makes a directory's parents anew": [
      "await mkdir(whole, { mode: DIRECTORY_MODE });",
      "await mkdir(whole, { mode: DIRECTORY_MODE, recursive: true });",
    ],
    "syncs a file that nobody finds": ["this.#checkName();\n  }", "}"],
    "lets everybody read": ['openDescriptor(path, "w+", FILE_MODE)', 'openDescriptor(path, "w+")'],
  }),
  ...within("core/storage/home.ts", [STORE, LOCK], {
    "opens without a lock": ["return storage.lock(path);", "return { check() {}, release: async () => {} };"],
  }),
  ...within("core/storage/link-or-copy.ts", [SNAPSHOTS, STORE_SNAPSHOT, SNAPSHOT_CRASH], {
    "gives up where it cannot link": ['.has((error as NodeJS.ErrnoException).code ?? "")', '.has("")'],
  }),
];
