/**
 * Defects for mutation testing, each a small edit of one file: a text of the file, and its
 * replacement. The tests must detect every one. A text that does not occur exactly once stops the
 * run: the code has changed, and the entry must be updated.
 */

export interface Defect {
  readonly name: string;
  /** Relative to the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly package: "codec" | "protocol" | "core" | "client" | "server-grpc" | "engine-jetstream";
  /** Test files of that package that probably detect it: they run first. */
  readonly catchers: readonly string[];
  /** Scenarios of the conveyor that must detect it on their own, in place of tests. */
  readonly scenarios?: readonly string[];
  /** No test exists yet that could detect it: the entry is left out of the run and not counted. */
  readonly waitsForTests: boolean;
}

type Edit = readonly [find: string, replace: string, note?: "waits for tests"];

export function within(
  path: `${Defect["package"]}/${string}`,
  catchers: readonly string[],
  edits: Readonly<Record<string, Edit>>,
): Defect[] {
  const [name, ...rest] = path.split("/");
  const file = ["packages", name, "src", ...rest].join("/");
  return Object.entries(edits).map(([defect, [find, replace, note]]) => ({
    name: defect,
    file,
    find,
    replace,
    package: name as Defect["package"],
    catchers,
    waitsForTests: note !== undefined,
  }));
}
