/**
 * Names of topics and snapshots: safe in paths, metrics and shells, although none of these uses a
 * name unchecked.
 */
import { InvalidArgumentError } from "@logstore/codec";

const NAME = /^[A-Za-z0-9._-]{1,249}$/;

/** @throws InvalidArgumentError */
export function checkTopicName(name: string): void {
  checkName(name, "topic");
}

/** @throws InvalidArgumentError */
export function checkSnapshotName(name: string): void {
  checkName(name, "snapshot");
}

export function isName(name: string): boolean {
  return typeof name === "string" && NAME.test(name) && name !== "." && name !== "..";
}

function checkName(name: string, what: string): void {
  if (isName(name)) return;
  throw new InvalidArgumentError(
    `${JSON.stringify(String(name).slice(0, 300))} is no ${what} name: use 1 to 249 of A-Z a-z 0-9 . _ - and neither "." nor ".."`,
  );
}
