/** Makes a project of a template. */
import { cp, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { TemplateName } from "./templates.js";
import { UsageError } from "./usage-error.js";

const ours = new URL("../", import.meta.url);

interface Manifest {
  name: string;
  version: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

export async function ownManifest(): Promise<Manifest> {
  return JSON.parse(await readFile(new URL("package.json", ours), "utf8"));
}

/**
 * Copies a template to a directory that does not exist or is empty.
 *
 * @throws UsageError if the directory is something else, and nothing is changed
 */
export async function generate(template: TemplateName, directory: string): Promise<void> {
  await checkEmpty(directory);
  await mkdir(directory, { recursive: true });
  await cp(new URL(`templates/${template}/`, ours), directory, {
    recursive: true,
    filter: (source) => !isLeftOut(basename(source)),
  });
  // npm leaves files of this name out of a package.
  await rename(join(directory, "gitignore"), join(directory, ".gitignore"));
  const file = join(directory, "package.json");
  const manifest: Manifest = JSON.parse(await readFile(file, "utf8"));
  await writeFile(file, `${JSON.stringify(await published(manifest, directory), null, 2)}\n`);
}

/** What running a template in the workspace leaves there. */
function isLeftOut(name: string): boolean {
  return name === "node_modules" || name === "data" || name === ".turbo";
}

async function checkEmpty(directory: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    if (code === "ENOTDIR") throw new UsageError(`${directory} is a file: choose another directory`);
    throw error;
  }
  if (names.some((name) => name !== ".git"))
    throw new UsageError(`${directory} is not empty: choose another directory`);
}

/** The manifest with the name of the project, and with releases in place of workspace versions. */
async function published(manifest: Manifest, directory: string): Promise<Manifest> {
  // Publishing writes the releases that this package was tested with in its own manifest.
  const { devDependencies: releases = {} } = await ownManifest();
  const replaced = (dependencies: Record<string, string> = {}) =>
    Object.fromEntries(
      Object.entries(dependencies).map(([name, range]) => [
        name,
        range.startsWith("workspace:") ? releases[name]! : range,
      ]),
    );
  return {
    ...manifest,
    name: packageName(directory),
    dependencies: replaced(manifest.dependencies),
    devDependencies: replaced(manifest.devDependencies),
  };
}

/** A name that npm takes. */
function packageName(directory: string): string {
  const name = basename(resolve(directory))
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+/, "");
  return name || "my-log";
}
