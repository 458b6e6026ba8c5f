/**
 * Names of the simulated disk: directories, and the changes of names that no sync of a directory
 * has covered. Like a file's changes they remember what was before, so that a power cut can take
 * them back.
 */
import { diskError } from "./disk-errors.js";
import { SimulatedFile } from "./simulated-file.js";

let directories = 0;

export class SimulatedDirectory {
  /** As an inode number. */
  readonly id = ++directories;
  readonly entries = new Map<string, DiskNode>();
}

export type DiskNode = SimulatedFile | SimulatedDirectory;

/** What a name meant, and what it means now. */
export interface NameChange {
  readonly directory: SimulatedDirectory;
  readonly name: string;
  readonly before: DiskNode | undefined;
  readonly after: DiskNode | undefined;
}

/** Names that change together or not at all: one, or both of a rename. */
interface UnsyncedNames {
  /** Rises from change to change of the tree. */
  readonly order: number;
  readonly names: readonly NameChange[];
}

export class DirectoryTree {
  #root = new SimulatedDirectory();
  /** Oldest first. */
  #unsynced: UnsyncedNames[] = [];
  #changes = 0;

  /** How many changes there were: those from now on have a higher order. */
  get changes(): number {
    return this.#changes;
  }

  find(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.#root;
    for (let at = 0; at < path.length; ) {
      const slash = path.indexOf("/", at);
      const end = slash < 0 ? path.length : slash;
      if (end > at) {
        if (!(node instanceof SimulatedDirectory)) return undefined;
        node = node.entries.get(path.slice(at, end));
      }
      at = end + 1;
    }
    return node;
  }

  /** @throws ENOENT, EISDIR */
  file(path: string): SimulatedFile {
    const node = this.find(path);
    if (node === undefined) throw diskError("ENOENT", path);
    if (node instanceof SimulatedDirectory) throw diskError("EISDIR", path);
    return node;
  }

  /** @throws ENOENT, ENOTDIR */
  directory(path: string): SimulatedDirectory {
    const node = this.find(path);
    if (node === undefined) throw diskError("ENOENT", path);
    if (node instanceof SimulatedFile) throw diskError("ENOTDIR", path);
    return node;
  }

  /** The directory that a path's last name is in. @throws ENOENT, ENOTDIR */
  parent(path: string): { directory: SimulatedDirectory; name: string } {
    const slash = path.lastIndexOf("/");
    const directory = this.directory(path.slice(0, Math.max(0, slash)));
    return { directory, name: path.slice(slash + 1) };
  }

  /** Changes what names mean; not durable before {@link sync}. */
  change(...changes: readonly Omit<NameChange, "before">[]): void {
    const names = changes.map((each) => ({ ...each, before: each.directory.entries.get(each.name) }));
    for (const each of names) setEntry(each, each.after);
    this.#unsynced.push({ order: ++this.#changes, names });
  }

  /** Makes a directory, if it is not there, in one that is. */
  makeDirectory(path: string): void {
    const { directory, name } = this.parent(path);
    const node = directory.entries.get(name);
    if (node instanceof SimulatedFile) throw diskError("EEXIST", path);
    if (node === undefined) this.change({ directory, name, after: new SimulatedDirectory() });
  }

  /** Makes the directories that a path is in. */
  makeParents(path: string): void {
    for (const [parent, name] of namesOf(path).slice(0, -1)) this.makeDirectory(`${parent}/${name}`);
  }

  /** @throws ENOENT; ENOTEMPTY where a directory would replace one */
  rename(from: string, to: string): void {
    const [old, now] = [this.parent(from), this.parent(to)];
    const node = this.find(from);
    if (node === undefined) throw diskError("ENOENT", from);
    const replaced = this.find(to);
    if (replaced === node) return;
    if (node instanceof SimulatedFile) {
      if (replaced !== undefined) this.file(to);
    } else if (replaced !== undefined) {
      throw diskError("ENOTEMPTY", to);
    }
    this.change({ ...now, after: node }, { ...old, after: undefined });
  }

  /**
   * A second name for a file: its bytes, and how durable they are, are the same by both. @throws
   * ENOENT, EEXIST
   */
  link(from: string, to: string): void {
    const file = this.file(from);
    if (this.find(to) !== undefined) throw diskError("EEXIST", to);
    this.change({ ...this.parent(to), after: file });
  }

  /** Removes a directory and all that is in it, each name by itself: a crash may leave some. */
  removeDirectory(path: string): void {
    for (const [name, node] of this.directory(path).entries) {
      if (node instanceof SimulatedFile) this.remove(`${path}/${name}`);
      else this.removeDirectory(`${path}/${name}`);
    }
    this.remove(path);
  }

  remove(path: string): void {
    this.change({ ...this.parent(path), after: undefined });
  }

  /** Makes a path's names durable, each in its directory, and no others. */
  syncNames(path: string, upTo = this.#changes): void {
    for (const [parent, name] of namesOf(path)) this.sync(this.directory(parent), upTo, name);
  }

  /**
   * Makes a directory's names durable, as they were after the change `upTo`, or one of them only;
   * of a rename the other name too, and whatever these names meant before.
   */
  sync(directory: SimulatedDirectory, upTo: number, only?: string): void {
    if (this.#unsynced.length === 0) return;
    const settled: NameChange[] = [];
    const isSettled = (change: NameChange) =>
      (change.directory === directory && (only === undefined || change.name === only)) ||
      settled.some((later) => later.directory === change.directory && later.name === change.name);
    this.#unsynced = this.#unsynced
      .toReversed()
      .filter(({ order, names }) => {
        if (order > upTo || !names.some(isSettled)) return true;
        settled.push(...names);
        return false;
      })
      .toReversed();
  }

  /**
   * A power cut: of each change that is not durable, `isKept` says whether it is there afterwards.
   */
  settle(isKept: () => boolean): void {
    const changes = this.#unsynced;
    this.#unsynced = [];
    for (const { names } of changes.toReversed()) for (const each of names.toReversed()) setEntry(each, each.before);
    for (const { names } of changes) if (isKept()) for (const each of names) setEntry(each, each.after);
  }

  /** The same tree for another disk, with all files that it has, had, or may have again. */
  copy(): { tree: DirectoryTree; files: readonly SimulatedFile[] } {
    const tree = new DirectoryTree();
    const copies = new Map<DiskNode, DiskNode>();
    const files: SimulatedFile[] = [];
    const copyOf = (node: DiskNode): DiskNode => {
      const known = copies.get(node);
      if (known !== undefined) return known;
      const isFile = node instanceof SimulatedFile;
      const copy = isFile ? node.copy() : new SimulatedDirectory();
      copies.set(node, copy);
      if (isFile) files.push(copy as SimulatedFile);
      else for (const [name, each] of node.entries) (copy as SimulatedDirectory).entries.set(name, copyOf(each));
      return copy;
    };
    tree.#root = copyOf(this.#root) as SimulatedDirectory;
    tree.#changes = this.#changes;
    tree.#unsynced = this.#unsynced.map(({ order, names }) => ({
      order,
      names: names.map(({ directory, name, before, after }) => ({
        directory: copyOf(directory) as SimulatedDirectory,
        name,
        before: before && copyOf(before),
        after: after && copyOf(after),
      })),
    }));
    return { tree, files };
  }

  /** Paths of all files, as they are seen now, sorted. */
  paths(): string[] {
    const found: string[] = [];
    const walk = (directory: SimulatedDirectory, prefix: string) => {
      for (const [name, node] of directory.entries) {
        if (node instanceof SimulatedFile) found.push(prefix + name);
        else walk(node, `${prefix}${name}/`);
      }
    };
    walk(this.#root, "");
    return found.sort();
  }
}

function setEntry({ directory, name }: NameChange, node: DiskNode | undefined): void {
  if (node === undefined) directory.entries.delete(name);
  else directory.entries.set(name, node);
}

/** Each name in a path with the path of its directory: a/b is [["", "a"], ["a", "b"]]. */
function namesOf(path: string): [parent: string, name: string][] {
  const names = path.split("/").filter((name) => name !== "");
  return names.map((name, i) => [names.slice(0, i).join("/"), name]);
}
