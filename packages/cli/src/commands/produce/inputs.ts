/** The inputs of `produce`: files, or stdin. */
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { UsageError } from "../../errors/cli-error.js";
import { LineSplitter } from "./lines.js";

export interface Input {
  /** "line 7 of orders.ndjson" */
  readonly where: string;
  readonly bytes: Uint8Array;
}

/** Total length of the files, in bytes; undefined if stdin is among them. @throws UsageError */
export async function totalBytes(files: readonly string[]): Promise<number | undefined> {
  if (files.length === 0 || files.includes("-")) return undefined;
  const sizes = await Promise.all(
    files.map(async (file) => {
      try {
        return (await stat(file)).size;
      } catch (error) {
        throw new UsageError(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
      }
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Each file, or stdin, as one input. */
export async function* wholeInputs(
  files: readonly string[],
  stdin: NodeJS.ReadStream,
): AsyncGenerator<readonly Input[], void, undefined> {
  for (const file of files.length === 0 ? ["-"] : files) {
    yield [{ where: nameOf(file), bytes: file === "-" ? await buffer(stdin) : await readFile(file) }];
  }
}

/** The lines of all files, or of stdin: those of a chunk together. */
export async function* lineInputs(
  files: readonly string[],
  stdin: NodeJS.ReadStream,
  signal: AbortSignal,
): AsyncGenerator<Iterable<Input>, void, undefined> {
  for (const file of files.length === 0 ? ["-"] : files) {
    const stream = file === "-" ? stdin : createReadStream(file);
    const stop = () => stream.destroy();
    signal.addEventListener("abort", stop);
    const splitter = new LineSplitter();
    let number = 0;
    const input = (bytes: Uint8Array): Input => ({ where: `line ${++number} of ${nameOf(file)}`, bytes });
    try {
      for await (const chunk of stream) yield splitter.push(chunk as Uint8Array).map(input);
      const last = splitter.end();
      if (last !== undefined) yield [input(last)];
    } catch (error) {
      if (signal.aborted) return; // only the lines that were already read are produced
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }
}

function nameOf(file: string): string {
  return file === "-" ? "stdin" : file;
}
