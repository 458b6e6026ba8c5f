import type { CommitChange } from "./group-state.js";

const MAX_COMMITS = 1000;

/** So that no record of the log becomes too long: with 4 KiB of metadata each, a thousand commits are 4 MiB. */
export function inChunks(commits: readonly CommitChange[]): CommitChange[][] {
  const chunks: CommitChange[][] = [];
  for (let i = 0; i < commits.length; i += MAX_COMMITS) chunks.push(commits.slice(i, i + MAX_COMMITS));
  return chunks;
}
