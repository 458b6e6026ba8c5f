/** The releases that a rehearsal makes, and tests of clients and servers of different releases. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expectSaid, install } from "./packages.ts";
import { run } from "./processes.ts";
import type { Report } from "./report.ts";
import type { Repository, Versions } from "./repository.ts";
import { serveInstalled } from "./served.ts";
import type { Workshop } from "./workshop.ts";

/** Releases all packages with the existing changesets, then two packages separately. */
export async function release(
  report: Report,
  repository: Repository,
): Promise<{ old: Versions; now: Versions } | undefined> {
  let old: Versions = {};
  const isPublished = await report.check("release", "every package", async () => {
    await repository.version();
    old = repository.versions;
    expectSame(await repository.publish(), old);
    return list(old);
  });
  if (!isPublished) return undefined;
  await checkSizes(report, repository);
  for (const name of ["@logstore/client", "@logstore/server-grpc"]) {
    const isAlone = await report.check("release", `${name} alone`, async () => {
      repository.addChangeset(`a-fix-of-${name.replace(/\W+/g, "-")}`, [name]);
      const bumped = await repository.version();
      expectSame(bumped, { [name]: repository.versions[name]! });
      expectSame(await repository.publish(), bumped);
      return `${old[name]} → ${bumped[name]}, and nothing else`;
    });
    if (!isAlone) return undefined;
  }
  return { old, now: repository.versions };
}

export async function checkVersionsTogether(
  report: Report,
  workshop: Workshop,
  old: Versions,
  now: Versions,
): Promise<void> {
  const combinations = [
    ["an old client, a new server", old, now],
    ["a new client, an old server", now, old],
  ] as const;
  for (const [name, client, server] of combinations) {
    const [clientVersion, serverVersion] = [client["@logstore/client"]!, server["@logstore/server-grpc"]!];
    await report.check("versions together", name, async () => {
      const served = await serveInstalled(workshop, serverVersion);
      try {
        const place = workshop.app(`client-${clientVersion}`);
        await install(workshop, "npm", place, [`@logstore/client@${clientVersion}`]);
        expectSaid(await run(process.execPath, [join("programs", "client.mjs"), served.address, "t"], place), "client");
      } finally {
        await served.stop();
      }
      return `client ${clientVersion}, server ${serverVersion}`;
    });
  }
}

function expectSame(found: Versions, expected: Versions): void {
  if (list(found) !== list(expected)) throw new Error(`${list(found) || "nothing"}, and not ${list(expected)}`);
}

function list(versions: Versions): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name.replace("@logstore/", "")} ${version}`)
    .toSorted()
    .join(", ");
}

/** Checks the tarballs against the size budgets of `pnpm packages`. */
async function checkSizes(report: Report, { packedBytes }: Repository): Promise<void> {
  const budgets = JSON.parse(readFileSync(new URL("../../../scripts/package-budgets.json", import.meta.url), "utf8"));
  for (const [name, bytes] of Object.entries(packedBytes)) {
    await report.check(name, "size", async () => {
      const [size, budget] = [Math.ceil(bytes / 1024), budgets[name.replace("@logstore/", "")]?.packedKiB];
      if (!(size <= budget)) throw new Error(`${size} KiB packed, and the budget is ${budget}`);
      return `${size} KiB packed (at most ${budget})`;
    });
  }
}
