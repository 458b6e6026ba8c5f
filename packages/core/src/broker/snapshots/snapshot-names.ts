/**
 * Names of the directories of topics and snapshots under `snapshots/`. They are safe on every file
 * system: distinct on one that ignores case, and never a name that Windows reserves. See
 * docs/format/snapshot.md, "Names".
 */

/** Letters between two of these are upper case. Names of topics and snapshots cannot contain it. */
const SHIFT = "=";
/** Names that Windows reserves, with or without an extension. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/;

/** A name in lower case that is not reserved stays as it is. */
export function directoryNameOf(name: string): string {
  let directory = "";
  let isUpper = false;
  for (const letter of name) {
    const lower = letter.toLowerCase();
    if (/[a-zA-Z]/.test(letter) && (letter !== lower) !== isUpper) {
      directory += SHIFT;
      isUpper = !isUpper;
    }
    directory += lower;
  }
  if (RESERVED.test(directory)) directory = SHIFT + SHIFT + directory;
  return directory.endsWith(".") ? directory + SHIFT : directory;
}

/**
 * Returns the name for a directory, including a directory that a user or an earlier release named
 * without encoding.
 */
export function nameOfDirectory(directory: string): string {
  return directory
    .split(SHIFT)
    .map((part, i) => (i % 2 === 0 ? part : part.toUpperCase()))
    .join("");
}
