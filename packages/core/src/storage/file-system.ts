/**
 * The type of file system of a directory: the lock relies on a single kernel, and a network file
 * system may be mounted by several.
 */
import { statfs } from "node:fs/promises";
import { StorageFailedError } from "@logstore/codec";

/** `f_type` of statfs(2) on Linux. */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x564c, "NCP"],
  [0x5346414f, "AFS"],
  [0x6b414653, "AFS"],
  [0x73757245, "Coda"],
  [0x00c36400, "Ceph"],
  [0x01021997, "9P"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
  [0x01161970, "GFS2"],
  [0x7461636f, "OCFS2"],
  [0x19830326, "BeeGFS"],
]);
const FUSE = 0x65735546;

/**
 * @throws StorageFailedError on a file system that several machines may share. Warns if the type
 * cannot be determined.
 */
export async function checkFileSystem(directory: string, isLinux = process.platform === "linux"): Promise<void> {
  if (!isLinux) return; // the numbers are specific to Linux
  const { type } = await statfs(directory);
  const kind = type >>> 0; // some types are reported as negative numbers
  if (kind === FUSE) {
    process.emitWarning(
      `${directory} is on a FUSE file system: if other machines share it, nothing keeps two writers apart`,
      { code: "LOGSTORE_FUSE" },
    );
  }
  checkKind(directory, kind);
}

/** @throws StorageFailedError */
export function checkKind(directory: string, kind: number): void {
  const name = NETWORK_FILE_SYSTEMS.get(kind);
  if (name === undefined) return;
  throw new StorageFailedError(
    `${directory} is on a network file system (${name}), where nothing keeps writers on two machines apart: use a local disk or a block device`,
  );
}
