/** The kind of a call that an engine makes to a disk. */
export type CallKind =
  | "createFile"
  | "link"
  | "identify"
  | "list"
  | "lock"
  | "makeDirectory"
  | "makeParents"
  | "openFile"
  | "read"
  | "remove"
  | "removeDirectory"
  | "rename"
  | "size"
  | "sync"
  | "syncDirectory"
  | "truncate"
  | "watch"
  | "write";

/** A call to the simulated disk. */
export interface Call {
  readonly kind: CallKind;
  /** For a rename or a link, the new name. */
  readonly path: string;
}

/** The calls after which the contents of the disk may have changed. */
const mutatingKinds: ReadonlySet<CallKind> = new Set<CallKind>([
  "createFile",
  "link",
  "makeDirectory",
  "makeParents",
  "remove",
  "removeDirectory",
  "rename",
  "sync",
  "syncDirectory",
  "truncate",
  "write",
]);

export function isMutating({ kind }: Call): boolean {
  return mutatingKinds.has(kind);
}
