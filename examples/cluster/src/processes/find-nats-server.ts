/** Finds a nats-server, or builds one where there is Go. */
import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const INSTALL = `This example needs nats-server 2.11 or later. Install it in one of these ways, and run the example again:

  macOS     brew install nats-server
  Windows   winget install nats-server
  Go        go install github.com/nats-io/nats-server/v2@latest
  others    https://github.com/nats-io/nats-server/releases

It has to be on the PATH, or at the path in the variable NATS_SERVER.`;

/** @throws Error that says what to install */
export function findNatsServer(): string {
  const given = process.env["NATS_SERVER"];
  if (given !== undefined) {
    if (isRecent(given)) return given;
    throw new Error(`NATS_SERVER is ${given}, and that is no nats-server of 2.11 or later.\n\n${INSTALL}`);
  }
  if (isRecent("nats-server")) return "nats-server";
  const built = build();
  if (built !== undefined && isRecent(built)) return built;
  throw new Error(INSTALL);
}

function isRecent(binary: string): boolean {
  try {
    const output = execFileSync(binary, ["--version"], { encoding: "utf8" });
    const [, major, minor] = /v(\d+)\.(\d+)/.exec(output) ?? [];
    return Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 11);
  } catch {
    return false;
  }
}

/** The first build takes a minute or two; the result is kept in the user's cache. */
function build(): string | undefined {
  if (spawnSync("go", ["version"]).status !== 0) return undefined;
  console.log("Looking for the nats-server that Go builds (the first time takes a minute or two)");
  const script = fileURLToPath(new URL("../../../../scripts/nats-server.sh", import.meta.url));
  const { status, stdout } = spawnSync("bash", [script], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  return status === 0 ? stdout.trim() : undefined;
}
