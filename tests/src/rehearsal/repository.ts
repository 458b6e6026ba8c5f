/** A copy of the repository in which versions are raised, packed and published. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./processes.ts";
import type { Workshop } from "./workshop.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Versions of the published packages, by name. */
export type Versions = Readonly<Record<string, string>>;

/** An entry of the release plan of changesets. */
interface Release {
  readonly kind: string;
  readonly name: string;
  readonly version: string;
  readonly tarball: { readonly path: string };
}

export class Repository {
  readonly #workshop: Workshop;
  readonly #directory: string;
  /** Sizes of the packages that were packed last, in bytes, by name. */
  packedBytes: Readonly<Record<string, number>> = {};

  private constructor(workshop: Workshop, directory: string) {
    this.#workshop = workshop;
    this.#directory = directory;
  }

  /**
   * Copies all files that git tracks or would add, then installs and builds like in a fresh clone.
   */
  static async copy(workshop: Workshop): Promise<Repository> {
    const directory = workshop.path("repository");
    const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root });
    for (const file of files.toString().split("\0")) {
      if (file === "" || !existsSync(join(root, file))) continue; // deleted, and not yet committed
      mkdirSync(dirname(join(directory, file)), { recursive: true });
      cpSync(join(root, file), join(directory, file));
    }
    const repository = new Repository(workshop, directory);
    await repository.#git("init", "--quiet", "--initial-branch=main");
    await repository.#commit("As it is");
    await repository.#pnpm("install", "--frozen-lockfile", "--prefer-offline");
    await repository.#pnpm("run", "build");
    return repository;
  }

  /** Versions in the manifests of the published packages. */
  get versions(): Versions {
    const packages = join(this.#directory, "packages");
    const manifests = readdirSync(packages).map((name) =>
      JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8")),
    );
    return Object.fromEntries(manifests.filter((each) => !each.private).map(({ name, version }) => [name, version]));
  }

  /** Adds a changeset with a patch release of these packages. */
  addChangeset(name: string, packages: readonly string[]): void {
    const bumps = packages.map((each) => `"${each}": patch`).join("\n");
    writeFileSync(join(this.#directory, ".changeset", `${name}.md`), `---\n${bumps}\n---\n\nThe rehearsal: ${name}.\n`);
  }

  /**
   * Raises the versions according to the existing changesets. Returns the versions that changed.
   */
  async version(): Promise<Versions> {
    const before = this.versions;
    await this.#pnpm("run", "release-version");
    await this.#commit("Version Packages");
    const after = Object.entries(this.versions);
    return Object.fromEntries(after.filter(([name, version]) => before[name] !== version));
  }

  /**
   * Packs and publishes the versions that the registry does not have, with the commands of the
   * release workflow. Returns what was published.
   */
  async publish(): Promise<Versions> {
    const packed = this.#workshop.path(`packed-${readdirSync(this.#workshop.directory).length}`);
    await this.#pnpm("exec", "changeset", "pack", "--out-dir", packed);
    const { plan } = JSON.parse(readFileSync(join(packed, "publish-plan.json"), "utf8"));
    const releases: Release[] = plan.flat().filter(({ kind }: Release) => kind === "publish");
    this.packedBytes = Object.fromEntries(
      releases.map(({ name, tarball }) => [name, statSync(join(packed, tarball.path)).size]),
    );
    await this.#pnpm("exec", "changeset", "publish", "--from-pack-dir", packed);
    return Object.fromEntries(releases.map(({ name, version }) => [name, version]));
  }

  async #commit(message: string): Promise<void> {
    await this.#git("add", "--all");
    const who = ["-c", "user.name=rehearsal", "-c", "user.email=rehearsal@localhost", "-c", "commit.gpgsign=false"];
    await this.#git(...who, "commit", "--quiet", "--no-verify", "--allow-empty", "-m", message);
  }

  async #git(...args: string[]): Promise<void> {
    await run("git", args, { cwd: this.#directory, env: this.#workshop.env() });
  }

  async #pnpm(...args: string[]): Promise<void> {
    const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const env = this.#workshop.env({ CI: "true" });
    await run("npx", ["--yes", "--prefer-offline", packageManager, ...args], { cwd: this.#directory, env });
  }
}
