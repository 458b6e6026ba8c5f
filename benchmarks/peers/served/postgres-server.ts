/** PostgreSQL of the PATH, or of the folder of Debian: a cluster of its own. */
import { execFileSync } from "node:child_process";
import { chownSync, globSync } from "node:fs";
import { dirname, join } from "node:path";
import { Skipped } from "../../src/contestants/embedded.ts";
import type { RunningServer, ServerOptions } from "../../src/contestants/served.ts";
import { freePort } from "../../src/processes/free-port.ts";
import { programOf, START_TIMEOUT_MS, startProgram } from "./start-program.ts";

export async function start({ directory, durability }: ServerOptions): Promise<RunningServer> {
  const folders = globSync("/usr/lib/postgresql/*/bin").toSorted().toReversed();
  const initdb = programOf("initdb", "INITDB", folders);
  const program = programOf("postgres", "POSTGRES", [dirname(initdb), ...folders]);
  const user = ownUser();
  const data = join(directory, "data");
  if (user !== undefined) chownSync(directory, user.uid, user.gid);
  execFileSync(initdb, ["-D", data, "-U", "postgres", "--auth", "trust", "--no-sync"], {
    ...{ stdio: "pipe", timeout: START_TIMEOUT_MS, cwd: "/" },
    ...user,
  });
  const port = await freePort();
  const commit = durability === "flushed" ? "on" : "off";
  const set = { port, listen_addresses: "127.0.0.1", unix_socket_directories: "", synchronous_commit: commit };
  const args = Object.entries(set).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = await startProgram(program, ["-D", data, ...args], { port, directory, ...user });
  return {
    address: `127.0.0.1:${port}`,
    version: execFileSync(program, ["--version"], { encoding: "utf8" }).trim(),
    settings: `synchronous_commit ${commit}, otherwise defaults`,
    ...server,
  };
}

/** PostgreSQL refuses to run as root: then as the user that Debian's package makes. */
function ownUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  try {
    const id = (what: string) => Number(execFileSync("id", [what, "postgres"], { encoding: "utf8", stdio: "pipe" }));
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    throw new Skipped("PostgreSQL does not run as root, and there is no user postgres");
  }
}
