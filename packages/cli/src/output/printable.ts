import { stripVTControlCharacters } from "node:util";

/**
 * Escapes characters that would move the cursor, because names and values come from other programs.
 */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, escaped);
}

const SHORT = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

function escaped(character: string): string {
  return SHORT.get(character) ?? `\\u{${character.codePointAt(0)!.toString(16)}}`;
}
