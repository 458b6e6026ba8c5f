/**
 * The supported Node versions. Checked before anything else is loaded, because an older version
 * would fail later with an obscure error.
 */

/** As in `engines` in package.json. */
const LOWEST = "22.15.0";

/**
 * Returns why the server does not run on this version of Node ("22.14.0"); undefined if it does.
 */
export function nodeVersionProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = numbersOf(version);
  const [lowestMajor = 0, lowestMinor = 0] = numbersOf(LOWEST);
  if (major > lowestMajor || (major === lowestMajor && minor >= lowestMinor)) return undefined;
  return `Node ${version} is too old: use Node ${lowestMajor}.${lowestMinor} or newer`;
}

/**
 * V8 flags for a heap of small objects next to large messages: by default V8 would collect garbage
 * every few MiB of messages, and spend more time on that than on serving. See
 * docs/decisions/0006-let-the-heap-grow.md. Each flag is set only if it exists, because V8 prints
 * an error for an unknown one.
 */
export function heapFlags(version: string): string[] {
  const [major = 0] = numbersOf(version);
  const flags = ["--heap-growing-percent=400"];
  if (major >= 24) flags.push("--external-memory-accounted-in-global-limit");
  return flags;
}

function numbersOf(version: string): number[] {
  return version.split(".").map(Number);
}
