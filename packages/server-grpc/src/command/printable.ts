/**
 * Control characters and those that reorder text: C0, DEL and C1 (a terminal obeys ESC and CSI),
 * line and paragraph separators, and the marks, embeddings, overrides and isolates of bidirectional
 * text.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * A text on one line that a terminal shows as it is: "\u001b" in place of the character. In JSON it
 * means the same as before.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
