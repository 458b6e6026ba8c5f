import type { CommitChange } from "../state/group-state.js";

const MAX_COMMITS = 1000;
const MAX_METADATA_LENGTH = 256 * 1024;

/** Splits commits, so that no record of the log becomes too long or takes too long to encode. */
export function inChunks(commits: readonly CommitChange[]): CommitChange[][] {
  const chunks: CommitChange[][] = [];
  let chunk: CommitChange[] = [];
  let length = 0;
  for (const commit of commits) {
    if (chunk.length === MAX_COMMITS || (chunk.length > 0 && length + commit.metadata.length > MAX_METADATA_LENGTH)) {
      chunks.push(chunk);
      chunk = [];
      length = 0;
    }
    chunk.push(commit);
    length += commit.metadata.length;
  }
  if (chunk.length > 0) chunks.push(chunk);
  return chunks;
}
