/** Reads a configuration file, and locates its keys. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Alias, Document } from "yaml";
import { UsageError } from "./usage-error.js";

export interface ConfigFile {
  readonly values: Record<string, unknown>;
  /** "logstore.yaml:3:5", or the nearest position known. */
  locate(path: readonly PropertyKey[]): string;
}

/** @throws UsageError if the file cannot be read, or is not YAML with a mapping */
export async function readConfigFile(file: string): Promise<ConfigFile> {
  const { isMap, isScalar, isSeq, LineCounter, parseDocument, visit } = await import("yaml");
  const lines = new LineCounter();
  const document: Document = parseDocument(read(file), { lineCounter: lines, prettyErrors: false });
  const at = (byte: number | undefined) => {
    if (byte === undefined) return file;
    const { line, col } = lines.linePos(byte);
    return `${file}:${line}:${col}`;
  };
  const locate = (path: readonly PropertyKey[]) => {
    let node: unknown = document.contents;
    let start: number | undefined;
    for (const name of path) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && key.value === name);
        if (pair === undefined) break;
        start = (pair.key as { range?: [number, number, number] | null }).range?.[0];
        node = pair.value;
      } else if (isSeq(node)) {
        node = node.items[Number(name)];
        start = (node as { range?: [number, number, number] | null } | undefined)?.range?.[0] ?? start;
      }
    }
    return at(start);
  };
  const [error] = document.errors; // the others are consequences of it
  if (error !== undefined) throw new UsageError(`${at(error.pos[0])}: ${error.message}`);
  let broken: Alias | undefined;
  visit(document, {
    Alias(_key, node) {
      if (node.resolve(document) !== undefined) return undefined;
      broken = node;
      return visit.BREAK;
    },
  });
  if (broken !== undefined) {
    throw new UsageError(`${at(broken.range?.[0])}: there is no anchor &${broken.source} before this alias`);
  }
  const values = valuesOf(document, file);
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    throw new UsageError(`${file}: a mapping of keys to values is expected`);
  }
  return { values: withPaths(values, dirname(file)) as Record<string, unknown>, locate };
}

/** @throws UsageError if aliases expand to far too much */
function valuesOf(document: Document, file: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** File names are relative to the file that contains them. */
function withPaths(value: unknown, directory: string): unknown {
  if (Array.isArray(value)) return value.map((each) => withPaths(each, directory));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => {
      const isPath = typeof each === "string" && each !== "" && (name === "data" || name.endsWith("File"));
      if (isPath) return [name, each === ":memory:" ? each : resolve(directory, each)];
      return [name, withPaths(each, directory)];
    }),
  );
}
