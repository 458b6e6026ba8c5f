/** The number of terminal columns that a text occupies. */
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Characters that occupy two columns in most terminals. */
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;

const isAscii = (text: string) => /^[\x20-\x7e]*$/.test(text);

export function displayWidth(text: string): number {
  if (isAscii(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** Truncates a text to a width, with "…" at its end. */
export function fit(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let cut = "";
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    const more = WIDE.test(segment) ? 2 : 1;
    if (used + more > width - 1) break;
    cut += segment;
    used += more;
  }
  return `${cut}…`;
}

/** Pads a text with spaces. A left-aligned last column is not padded. */
export function pad(text: string, width: number, align: "left" | "right", isLast: boolean): string {
  const spaces = " ".repeat(Math.max(0, width - displayWidth(text)));
  if (align === "right") return spaces + text;
  return isLast ? text : text + spaces;
}
