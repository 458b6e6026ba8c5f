/**
 * One writer a directory, without a native add-on: a local socket that the owner listens on. The kernel closes it with the
 * process, however that ends, so no stale lock is ever left. The file `lock` only names the owner, for the error message.
 */
import { createHash } from "node:crypto";
import { readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LockedError } from "@logstore/codec";
import { LOCK_FILE } from "../files/file-names.js";
import type { Lock } from "./storage.js";

export async function lockDirectory(directory: string): Promise<Lock> {
  const address = await lockAddress(directory);
  const server = net.createServer((socket) => socket.destroy());
  server.unref(); // a lock keeps nobody's process alive
  const lockFile = join(directory, LOCK_FILE);
  if (!(await listen(server, address))) {
    const owner = await readFile(lockFile, "utf8").catch(() => "");
    const who = owner.trim() === "" ? "another writer" : `process ${owner.trim()}`;
    throw new LockedError(`${directory} is open for writing by ${who}: close it there first`, { file: LOCK_FILE });
  }
  const release = async () => {
    await rm(lockFile, { force: true });
    await new Promise((resolve) => server.close(resolve));
  };
  try {
    await writeFile(lockFile, `${process.pid}\n`);
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

/** The same for every path that leads to the directory. */
async function lockAddress(directory: string): Promise<string> {
  const { dev, ino } = await stat(directory, { bigint: true });
  const identity = process.platform === "win32" ? await realpath(directory) : `${dev}:${ino}`;
  const name = `logstore-${createHash("sha256").update(identity).digest("hex").slice(0, 32)}`;
  if (process.platform === "linux") return `\0${name}`; // the abstract namespace: nothing on disk
  if (process.platform === "win32") return `\\\\.\\pipe\\${name}`;
  return join(tmpdir(), `${name}.sock`);
}

/** False where somebody listens there already. */
async function listen(server: net.Server, address: string): Promise<boolean> {
  if (await tryListen(server, address)) return true;
  if (address.startsWith("\0") || process.platform === "win32") return false;
  // A socket file outlives its process: it counts only if somebody answers.
  if (await answers(address)) return false;
  await rm(address, { force: true });
  return tryListen(server, address);
}

function tryListen(server: net.Server, address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else reject(error);
    };
    server.once("error", onError);
    // Exclusive: workers of node:cluster would otherwise share one socket, and each would have the lock.
    server.listen({ path: address, exclusive: true }, () => {
      server.off("error", onError);
      resolve(true);
    });
  });
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(address);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
