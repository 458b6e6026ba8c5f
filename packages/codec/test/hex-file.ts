/**
 * Golden files: hex bytes, one field per line, with `#` comments; `76*8192` is the byte 76, 8192
 * times.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";

const GOLDEN = new URL("golden/v1/", import.meta.url);

export function hexNames(directory: string): string[] {
  const files = readdirSync(new URL(directory, GOLDEN)).filter((file) => file.endsWith(".hex"));
  return files.map((file) => basename(file, ".hex"));
}

export function readHexFile(name: string): Uint8Array {
  return parseHex(readFileSync(new URL(`${name}.hex`, GOLDEN), "utf8"));
}

/** The notes of a corrupt file, from lines like `# error: CORRUPT_BATCH`. */
export function readNotes(name: string): Record<string, string> {
  const text = readFileSync(new URL(`${name}.hex`, GOLDEN), "utf8");
  return Object.fromEntries([...text.matchAll(/^# ([a-z ]+): (\w+)$/gm)].map(([, note, value]) => [note, value]));
}

export function parseHex(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const token of text.replace(/#.*/g, "").split(/\s+/).filter(Boolean)) {
    const [, byte, times = "1"] = /^([0-9a-f]{2})(?:\*(\d+))?$/.exec(token) ?? [];
    if (byte === undefined) throw new Error(`not a hex byte: ${token}`);
    for (let i = 0; i < Number(times); i++) bytes.push(Number.parseInt(byte, 16));
  }
  return Uint8Array.from(bytes);
}
