/** Lists snapshots, those that cannot be read included. */
import type { SnapshotDescription } from "@logstore/protocol";
import { checkTopicName } from "../../engine/topic-name.js";
import { detailOf } from "../../errors/error-detail.js";
import { sharedPacer } from "../../pacing/pacer.js";
import { storageError, withStorageErrors } from "../../storage/storage-error.js";
import type { SnapshotDirectories } from "./snapshot-directories.js";

/**
 * By topic and name. @throws InvalidArgumentError, StorageFailedError where a directory of
 * snapshots cannot be read
 */
export async function listSnapshots(directories: SnapshotDirectories, topic?: string): Promise<SnapshotDescription[]> {
  if (topic !== undefined) checkTopicName(topic);
  return withStorageErrors("snapshots cannot be listed", async () => {
    const found: SnapshotDescription[] = [];
    for (const each of topic === undefined ? await directories.list() : [topic]) {
      const names = await directories.list(each).catch((cause) => {
        if (topic !== undefined) throw cause;
        found.push(unreadable(each, "", cause)); // the snapshots of other topics are listed
        return [];
      });
      for (const name of names) {
        const snapshot = await readInTurn(directories, each, name);
        if (snapshot !== undefined) found.push(snapshot);
      }
    }
    return found;
  });
}

function readInTurn(
  directories: SnapshotDirectories,
  topic: string,
  snapshot: string,
): Promise<SnapshotDescription | undefined> {
  return directories.listing.run("", async () => {
    await sharedPacer.pause();
    return directories.read(topic, snapshot).catch((cause) => unreadable(topic, snapshot, cause));
  });
}

function unreadable(topic: string, snapshot: string, cause: unknown): SnapshotDescription {
  const which = snapshot === "" ? "the snapshots" : `snapshot ${snapshot}`;
  const damage = detailOf(storageError(cause, `${which} of topic ${topic} cannot be read`, { topic }));
  return { topic, snapshot, createdAt: 0, partitions: [], sizeBytes: 0, damage };
}
