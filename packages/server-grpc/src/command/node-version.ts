/**
 * The Node versions that the server runs on. Checked before anything else is loaded: an older one
 * fails much later, and obscurely.
 */

/** As in package.json's `engines`. */
const LOWEST = "22.15.0";

/** Why the server does not run on this version of Node ("22.14.0"), if so. */
export function nodeVersionProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = numbersOf(version);
  const [lowestMajor = 0, lowestMinor = 0] = numbersOf(LOWEST);
  if (major > lowestMajor || (major === lowestMajor && minor >= lowestMinor)) return undefined;
  return `Node ${version} is too old: use Node ${lowestMajor}.${lowestMinor} or newer`;
}

/**
 * V8's flags for a heap of small objects around large messages: as it is set up, V8 would collect
 * garbage after every few MiB of messages, and spend more time on that than on serving. See
 * docs/decisions/0006-let-the-heap-grow.md. V8 prints an error for a flag that it does not know, so
 * each is set only where it exists.
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
