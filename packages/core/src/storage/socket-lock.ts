/**
 * The lock for systems without exclusive opening of files, such as Linux: a Unix socket in the
 * directory, `lock.<epoch>`, on which the owner listens. docs/format/directory.md has the algorithm
 * and the reason why two processes cannot both get the lock.
 */
import { randomBytes } from "node:crypto";
import { constants, lstatSync } from "node:fs";
import { chmod, link, lstat, open, readdir, unlink } from "node:fs/promises";
import net from "node:net";
import { join, resolve } from "node:path";
import { StorageFailedError } from "@logstore/codec";
import { isDiskFull } from "./disk-trouble.js";
import type { KernelLock } from "./kernel-lock.js";
import { LOCK_FILE, lockName, parseLockName, UNFINISHED_LOCK_NAME, unfinishedLockName } from "./lock-names.js";
import { runAll } from "./run-all.js";

/**
 * Largest socket address without its terminating zero: sun_path has 108 bytes on Linux and Solaris,
 * 104 elsewhere.
 */
const maxAddressBytes = (platform: NodeJS.Platform) => (platform === "linux" || platform === "sunos" ? 107 : 103);
/** Two processes that start at the same time may both back off and retry. */
const ATTEMPTS = 100;
/**
 * A name that is not linked yet belongs to a process that is starting, unless it is older than
 * this.
 */
const UNFINISHED_MS = 60_000;

/** @param platform for tests; default: this platform */
export async function lockBySocket(
  directory: string,
  platform: NodeJS.Platform = process.platform,
): Promise<KernelLock | undefined> {
  // Kept open, so that no other directory can get its inode number while this process believes that
  // it has the lock.
  const handle = await open(directory, constants.O_RDONLY | (constants.O_DIRECTORY ?? 0));
  const place = new LockPlace(directory, handle.fd, platform);
  const own = unfinishedLockName(randomBytes(6).toString("hex"));
  const server = net.createServer((socket) => socket.destroy());
  server.unref(); // the lock does not keep the process alive
  server.on("error", () => {}); // too many descriptors to accept a connection, which the kernel has accepted already
  const releaseSteps = [() => closeServer(server), () => handle.close()];
  try {
    await place.listenAlsoWhereFull(server, own);
    const name = await take(place, own);
    await unlink(place.path(own));
    if (name !== undefined) return held(place, name, releaseSteps);
  } catch (error) {
    await runAll(() => unlink(place.path(own)), ...releaseSteps).catch(() => {});
    throw error;
  }
  await runAll(...releaseSteps);
  return undefined;
}

/** Resolves to the name under which the lock is held; undefined if another process has it. */
async function take(place: LockPlace, own: string): Promise<string | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const epochs = await place.epochs();
    if (await place.isAnyAlive(epochs)) return undefined;
    const epoch = Math.max(0, ...epochs) + 1;
    const name = lockName(epoch);
    try {
      await link(place.path(own), place.path(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") continue;
      throw error;
    }
    try {
      const others = (await place.epochs()).filter((other) => other !== epoch);
      if (!(await place.isAnyAlive(others))) {
        await place.removeDead(others);
        return name;
      }
    } catch (error) {
      await unlink(place.path(name)).catch(() => {});
      throw error;
    }
    await unlink(place.path(name));
  }
  return undefined;
}

function held(place: LockPlace, name: string, releaseSteps: readonly (() => Promise<void>)[]): KernelLock {
  const path = place.path(name);
  const exact = lstatSync(path, { bigint: true });
  // It is looked at for each group of appends: numbers cost less, where they are exact.
  const bigint = exact.ino > Number.MAX_SAFE_INTEGER || exact.dev > Number.MAX_SAFE_INTEGER;
  const { dev, ino } = bigint ? exact : lstatSync(path);
  const isHeld = () => {
    const found = lstatSync(path, { bigint, throwIfNoEntry: false });
    return found?.ino === ino && found.dev === dev;
  };
  const remove = async () => {
    if (isHeld()) await unlink(path);
  };
  return { isHeld, release: () => runAll(remove, ...releaseSteps) };
}

/** The names of locks in the directory, and their socket addresses. */
class LockPlace {
  readonly #directory: string;
  readonly #descriptor: number;
  readonly #platform: NodeJS.Platform;

  constructor(directory: string, descriptor: number, platform: NodeJS.Platform) {
    this.#platform = platform;
    this.#directory = resolve(directory);
    this.#descriptor = descriptor;
  }

  path(name: string): string {
    return join(this.#directory, name);
  }

  async epochs(): Promise<number[]> {
    return (await readdir(this.#directory)).map(parseLockName).filter((epoch) => epoch !== undefined);
  }

  /**
   * A socket needs an inode. If none is left, the file `lock` is removed to free one: it is only
   * needed for error messages.
   */
  async listenAlsoWhereFull(server: net.Server, name: string): Promise<void> {
    try {
      await this.#listen(server, name);
    } catch (error) {
      if (error instanceof StorageFailedError) throw error; // the path is too long
      if (!isDiskFull(error)) throw this.#cannotListen(error as NodeJS.ErrnoException);
      await removeIfThere(this.path(LOCK_FILE));
      await this.#listen(server, name).catch((again) => {
        throw this.#cannotListen(again);
      });
    }
  }

  async #listen(server: net.Server, name: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      // Exclusive: otherwise workers of node:cluster would share one socket, and each would believe
      // it has the lock.
      server.listen({ path: this.#address(name), exclusive: true }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    await chmod(this.path(name), 0o600);
  }

  async isAnyAlive(epochs: readonly number[]): Promise<boolean> {
    for (const epoch of epochs) if (await isAlive(this.#address(lockName(epoch)))) return true;
    return false;
  }

  /**
   * Removes the names of sockets that are known to be dead, and those that processes left when they
   * crashed while starting.
   */
  async removeDead(epochs: readonly number[]): Promise<void> {
    for (const epoch of epochs) await removeIfThere(this.path(lockName(epoch)));
    for (const name of await readdir(this.#directory)) {
      if (!UNFINISHED_LOCK_NAME.test(name)) continue;
      const { ctimeMs } = await lstat(this.path(name)).catch(() => ({ ctimeMs: Number.POSITIVE_INFINITY }));
      if (Date.now() - ctimeMs > UNFINISHED_MS && !(await isAlive(this.#address(name)))) {
        await removeIfThere(this.path(name));
      }
    }
  }

  #address(name: string): string {
    const path = this.path(name);
    const maxBytes = maxAddressBytes(this.#platform);
    if (Buffer.byteLength(path) <= maxBytes) return path;
    if (this.#platform === "linux") return `/proc/self/fd/${this.#descriptor}/${name}`;
    throw new StorageFailedError(
      `${this.#directory} cannot be locked: its path is longer than ${maxBytes - name.length - 1} bytes; use a shorter one`,
      { file: LOCK_FILE },
    );
  }

  #cannotListen(cause: NodeJS.ErrnoException): StorageFailedError {
    const why = isDiskFull(cause)
      ? "no inode is left for the lock: remove any one file that is not the store's from the file system"
      : "the file system takes no Unix sockets, or the directory is not to be written to";
    return new StorageFailedError(
      `${this.#directory} cannot be locked (${cause.message}): ${why}`,
      { file: "lock" },
      { cause },
    );
  }
}

/**
 * Only a refused connection counts as dead: an owner whose accept queue is full is alive, and so
 * may be one that runs as another user.
 */
function isAlive(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(address);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code !== "ECONNREFUSED" && code !== "ENOENT"));
  });
}

async function removeIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

function closeServer(server: net.Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
