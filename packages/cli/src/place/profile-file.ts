/** The file of profiles: JSON, in the user's configuration directory. */
import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { UsageError } from "../errors/cli-error.js";
import type { Environment } from "../output/environment.js";
import { checkedProfiles, type Profiles } from "./profile.js";

/**
 * LOGSTORE_PROFILES, or `logstore/profiles.json` in XDG_CONFIG_HOME, by default `~/.config`; on
 * Windows in APPDATA.
 */
export function profileFile(environment: Environment): string {
  const { LOGSTORE_PROFILES: named, XDG_CONFIG_HOME: xdg, APPDATA: appData } = environment;
  if (named) return named;
  const home = environment["HOME"] || homedir();
  const base = xdg || (process.platform === "win32" && appData ? appData : join(home, ".config"));
  return join(base, "logstore", "profiles.json");
}

/** Resolves to no profiles if the file does not exist. @throws UsageError */
export async function readProfiles(environment: Environment): Promise<Profiles> {
  const file = profileFile(environment);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { profiles: {} };
    throw new UsageError(`the profiles cannot be read: ${(error as Error).message}`, { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${(error as Error).message}`, { cause: error });
  }
  return checkedProfiles(value, file);
}

/** Replaces the file as a whole; only its owner may read it, because it may hold tokens. */
export async function writeProfiles(environment: Environment, profiles: Profiles): Promise<void> {
  const file = profileFile(environment);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const unfinished = `${file}.${randomUUID()}`;
  try {
    const handle = await open(unfinished, "wx", 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(profiles, undefined, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
