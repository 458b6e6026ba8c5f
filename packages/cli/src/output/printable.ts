import { stripVTControlCharacters } from "node:util";

/** Names and values come from elsewhere: what would move the cursor is shown as an escape. */
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
