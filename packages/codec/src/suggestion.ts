/** Returns ` (did you mean "listen"?)`, or an empty string if no candidate is close to the word. */
export function suggestion(word: string, candidates: Iterable<string>): string {
  const near = [...candidates]
    .map((candidate) => ({ candidate, distance: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance)[0];
  return near === undefined ? "" : ` (did you mean ${JSON.stringify(near.candidate)}?)`;
}

/** Longer words are not compared: the cost is proportional to the product of both lengths. */
const MAX_WORD_LENGTH = 64;

/**
 * The Damerau-Levenshtein distance: insertions, deletions, replacements and swaps of adjacent
 * letters.
 */
function distance(a: string, b: string): number {
  if (a.length > MAX_WORD_LENGTH) return Number.POSITIVE_INFINITY;
  let last: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const exchanged = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? last[j - 2]! + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(replaced, exchanged, row[j]! + 1, next[j - 1]! + 1));
    }
    last = row;
    row = next;
  }
  return row[b.length]!;
}
