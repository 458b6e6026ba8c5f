/**
 * Names of the directories of topics and snapshots under `snapshots/`, that are safe on every file
 * system: they tell upper from lower case where the disk does not, and are none that Windows keeps
 * for itself. docs/format/snapshot.md, "Names".
 */

/** Between two of these, letters are upper case. No topic or snapshot has it in its name. */
const SHIFT = "=";
/** With or without something behind a dot. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/;

/** What is lower case, and nothing special, stays as it is. */
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
 * The name that a directory stands for: also one that was put there by hand, or by a release that
 * wrote names as they are.
 */
export function nameOfDirectory(directory: string): string {
  return directory
    .split(SHIFT)
    .map((part, i) => (i % 2 === 0 ? part : part.toUpperCase()))
    .join("");
}
