/**
 * Control characters and characters that reorder text: C0, DEL and C1 (terminals interpret ESC and
 * CSI), line and paragraph separators, and the marks, embeddings, overrides and isolates of
 * bidirectional text.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * Replaces them by escapes such as "\u001b", so that a terminal shows the text on one line as it
 * is. In JSON the meaning stays the same.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
