/**
 * Names of the simulated disk: directories, and name changes that no directory sync has covered
 * yet. Like the changes of a file, they keep the previous state, so that a power cut can undo them.
 */
import { diskError } from "./disk-errors.js";
import { SimulatedFile } from "./simulated-file.js";

let directories = 0;

export class SimulatedDirectory {
  /** Like an inode number. */
  readonly id = ++directories;
  readonly entries = new Map<string, DiskNode>();
}

export type DiskNode = SimulatedFile | SimulatedDirectory;

/** What a name referred to before and after a change. */
export interface NameChange {
  readonly directory: SimulatedDirectory;
  readonly name: string;
  readonly before: DiskNode | undefined;
  readonly after: DiskNode | undefined;
}

/**
 * Changes of names that take effect together or not at all: one name, or both names of a rename.
 */
interface UnsyncedNames {
  /** Increases with each change of the tree. */
  readonly order: number;
  readonly names: readonly NameChange[];
}

export class DirectoryTree {
  #root = new SimulatedDirectory();
  /** Oldest first. */
  #unsynced: UnsyncedNames[] = [];
  #changes = 0;

  /** The number of changes so far: later ones have a higher order. */
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

  /**
   * The directory that contains the last name of a path.
   *
   * @throws ENOENT, ENOTDIR
   */
  parent(path: string): { directory: SimulatedDirectory; name: string } {
    const slash = path.lastIndexOf("/");
    const directory = this.directory(path.slice(0, Math.max(0, slash)));
    return { directory, name: path.slice(slash + 1) };
  }

  /** Changes what names refer to; not durable before {@link sync}. */
  change(...changes: readonly Omit<NameChange, "before">[]): void {
    const names = changes.map((each) => ({ ...each, before: each.directory.entries.get(each.name) }));
    for (const each of names) setEntry(each, each.after);
    this.#unsynced.push({ order: ++this.#changes, names });
  }

  /** Creates a directory, unless it exists. Its parent must exist. */
  makeDirectory(path: string): void {
    const { directory, name } = this.parent(path);
    const node = directory.entries.get(name);
    if (node instanceof SimulatedFile) throw diskError("EEXIST", path);
    if (node === undefined) this.change({ directory, name, after: new SimulatedDirectory() });
  }

  /** Creates the parent directories of a path. */
  makeParents(path: string): void {
    for (const [parent, name] of namesOf(path).slice(0, -1)) this.makeDirectory(`${parent}/${name}`);
  }

  /** @throws ENOENT; ENOTEMPTY if a directory would replace something */
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
   * Gives a file a second name. Its bytes and their durability are the same under both.
   *
   * @throws ENOENT, EEXIST
   */
  link(from: string, to: string): void {
    const file = this.file(from);
    if (this.find(to) !== undefined) throw diskError("EEXIST", to);
    this.change({ ...this.parent(to), after: file });
  }

  /** Removes a directory and its contents, one name at a time: a crash may leave some of them. */
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

  /** Makes each name of a path durable in its directory, and no other names. */
  syncNames(path: string, upTo = this.#changes): void {
    for (const [parent, name] of namesOf(path)) this.sync(this.directory(parent), upTo, name);
  }

  /**
   * Makes the names in a directory, or one of them, durable as they were after the change `upTo`.
   * For a rename this includes the other name, and earlier changes of both names.
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

  /** A power cut: `isKept` decides for each change that is not durable whether it survives. */
  settle(isKept: () => boolean): void {
    const changes = this.#unsynced;
    this.#unsynced = [];
    for (const { names } of changes.toReversed()) for (const each of names.toReversed()) setEntry(each, each.before);
    for (const { names } of changes) if (isKept()) for (const each of names) setEntry(each, each.after);
  }

  /**
   * Copies the tree for another disk, with all files that it has, had, or may have again after a
   * power cut.
   */
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

  /** Paths of all files as currently visible, sorted. */
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

/** Each name of a path with the path of its directory: a/b is [["", "a"], ["a", "b"]]. */
function namesOf(path: string): [parent: string, name: string][] {
  const names = path.split("/").filter((name) => name !== "");
  return names.map((name, i) => [names.slice(0, i).join("/"), name]);
}
