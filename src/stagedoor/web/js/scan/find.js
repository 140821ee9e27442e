/**
 * What is dropped or picked, as entries: files and folders with everything in them.
 *
 * Rules
 * 1. Directories are read to their end, however few of their entries a browser tells at once.
 * 2. Names are in NFC; empty folders are kept; junk is left out and counted; what cannot be read is a fault.
 * 3. Nothing is done for longer than a slice, and what was found so far is told while it goes on. ADR 12 tells why the page
 *    itself does it.
 *
 * A file has `size`, `modified` (milliseconds) and `file`; a folder has `files`.
 *
 * @typedef {{filename: string, is_dir: boolean, size?: number, modified?: number, file?: File, files?: Node[]}} Node
 *
 * @typedef {object} Found      one entry, while it is read and afterwards
 * @property {Node} node
 * @property {number} files     how many so far
 * @property {number} size      bytes so far
 * @property {number} junk      files left out
 * @property {{path: string, reason: string}[]} faults
 * @property {FileSystemHandle | null} handle  by which it can be read again after a reload
 */
import { inOrder, isJunk, normal } from "./names.js";
import { Slices } from "./slices.js";

/** How many questions are put to the browser at a time. */
const AT_ONCE = 48;

/** @param {string} name @param {boolean} isFolder @returns {Found} */
function found(name, isFolder, handle = null) {
  const filename = normal(name);
  /** @type {any} */
  const node = isFolder ? { filename, is_dir: true, files: [] } : { filename, is_dir: false, size: 0, modified: 0, file: null };
  return { node, files: 0, size: 0, junk: 0, faults: [], handle };
}

/** @param {Found} into @param {any} leaf to be filled @param {File} file */
function put(into, leaf, file) {
  Object.assign(leaf, { size: file.size, modified: file.lastModified, file });
  into.files += 1;
  into.size += file.size;
}

const newLeaf = (name) => ({ filename: normal(name), is_dir: false, size: 0, modified: 0, file: null });

/**
 * Files of an `<input>`: loose ones, or those of a folder with their paths. Begins with the first, and so shows it.
 *
 * @param {ArrayLike<File>} list
 * @param {(found: Found) => void} begun told of each entry when it is begun
 */
export async function readFiles(list, begun) {
  const slices = new Slices();
  /** @type {Map<string, {entry: Found, folders: Map<string, any>}>} */
  const roots = new Map();
  for (let index = 0; index < list.length; index += 1) {
    const file = list[index];
    const path = (file.webkitRelativePath || file.name).split("/");
    if (path.length === 1) loose(file, begun);
    else underFolder(roots, path, file, begun);
    if (slices.due) await slices.breathe(); // the browser may ask the disk for the size of each
  }
  for (const { entry } of roots.values()) await sortAll(entry.node, slices);
}

function loose(file, begun) {
  if (isJunk(file.name)) return begun({ ...found(file.name, false), junk: 1, node: null });
  const entry = found(file.name, false);
  put(entry, entry.node, file);
  return begun(entry);
}

function underFolder(roots, path, file, begun) {
  let root = roots.get(path[0]);
  if (!root) {
    const entry = found(path[0], true);
    root = { entry, folders: new Map([["", entry.node]]) };
    roots.set(path[0], root);
    begun(entry);
  }
  const name = path.at(-1);
  if (isJunk(name)) {
    root.entry.junk += 1;
    return;
  }
  const leaf = newLeaf(name);
  put(root.entry, leaf, file);
  folderAt(root.folders, path.slice(1, -1)).files.push(leaf);
}

function folderAt(folders, names) {
  const path = names.join("/");
  const known = folders.get(path);
  if (known) return known;
  const made = { filename: normal(names.at(-1)), is_dir: true, files: [] };
  folderAt(folders, names.slice(0, -1)).files.push(made);
  folders.set(path, made);
  return made;
}

/** Children of every folder in the order of people. */
async function sortAll(node, slices) {
  const folders = [node];
  while (folders.length) {
    const folder = folders.pop();
    if (!folder.is_dir) continue;
    folder.files = await inOrder(folder.files, slices);
    for (const child of folder.files) if (child.is_dir) folders.push(child);
    await slices.breathe();
  }
}

/**
 * What was dropped. To be called while the drop is handled: the browser forgets it afterwards.
 *
 * @param {DataTransfer} transfer
 * @param {(found: Found) => void} begun
 */
export function readDrop(transfer, begun) {
  const dropped = [...transfer.items].filter((item) => item.kind === "file");
  const entries = dropped.map((item) => ({ entry: item.webkitGetAsEntry?.(), handle: handleOf(item), file: item.getAsFile?.() }));
  return Promise.all(
    entries.map(async ({ entry, handle, file }) => {
      if (entry) return readTree(ofEntry(entry), begun, await handle);
      return file ? readFiles([file], begun) : undefined;
    }),
  );
}

/** @returns {Promise<FileSystemHandle | null>} */
async function handleOf(item) {
  try {
    return (await item.getAsFileSystemHandle?.()) ?? null;
  } catch {
    return null; // It can be sent all the same; only after a reload it has to be dropped again.
  }
}

/** A folder or file that the user picked, or picked before a reload. @param {FileSystemHandle} handle @param {(found: Found) => void} begun */
export function readHandle(handle, begun) {
  return readTree(ofHandle(handle), begun, handle);
}

/**
 * One way to ask, for both things that browsers give.
 *
 * @typedef {{name: string, isFolder: boolean, file: () => Promise<File>, children: () => AsyncIterable<Item[]>}} Item
 */

/** @param {any} entry FileSystemEntry @returns {Item} */
function ofEntry(entry) {
  return {
    name: entry.name,
    isFolder: entry.isDirectory,
    file: () => new Promise((resolve, reject) => entry.file(resolve, reject)),
    async *children() {
      const reader = entry.createReader();
      // Each answer holds a hundred at most; only an empty one is the end.
      for (;;) {
        const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
        if (!batch.length) return;
        yield batch.map(ofEntry);
      }
    },
  };
}

/** @param {any} handle FileSystemHandle @returns {Item} */
function ofHandle(handle) {
  return {
    name: handle.name,
    isFolder: handle.kind === "directory",
    file: () => handle.getFile(),
    async *children() {
      for await (const child of handle.values()) yield [ofHandle(child)];
    },
  };
}

/** @param {Item} item @param {(found: Found) => void} begun @param {FileSystemHandle | null} handle */
async function readTree(item, begun, handle) {
  if (isJunk(item.name)) return begun({ ...found(item.name, item.isFolder), junk: 1, node: null });
  const entry = found(item.name, item.isFolder, handle);
  begun(entry);
  const slices = new Slices();
  await new Walk(entry, slices).run(item);
  await sortAll(entry.node, slices);
  return undefined;
}

/** Reads many things at a time, never more than `AT_ONCE`. */
class Walk {
  constructor(entry, slices) {
    this.entry = entry;
    this.slices = slices;
    /** @type {(() => Promise<void>)[]} */
    this.waiting = [];
    this.working = 0;
  }

  run(item) {
    return new Promise((resolve) => {
      this.done = resolve;
      this.ask(item, this.entry.node, "");
      this.next();
    });
  }

  next() {
    while (this.working < AT_ONCE && this.waiting.length) {
      this.working += 1;
      void this.waiting.pop()().then(() => {
        this.working -= 1;
        this.next();
      });
    }
    if (!this.working && !this.waiting.length) this.done();
  }

  ask(item, node, path) {
    this.waiting.push(() => (item.isFolder ? this.folder(item, node, path) : this.file(item, node, path)));
  }

  async file(item, leaf, path) {
    try {
      put(this.entry, leaf, await item.file());
    } catch (error) {
      this.fault(path || item.name, error);
    }
    await this.slices.breathe();
  }

  async folder(item, node, path) {
    try {
      for await (const batch of item.children()) {
        for (const child of batch) this.child(child, node, path);
        this.next();
        await this.slices.breathe();
      }
    } catch (error) {
      this.fault(path || item.name, error);
    }
  }

  child(item, above, path) {
    if (isJunk(item.name)) {
      this.entry.junk += 1;
      return;
    }
    const node = item.isFolder ? { filename: normal(item.name), is_dir: true, files: [] } : newLeaf(item.name);
    above.files.push(node);
    this.ask(item, node, path ? `${path}/${item.name}` : item.name);
  }

  fault(path, error) {
    const gone = error?.name === "NotFoundError";
    this.entry.faults.push({ path, reason: gone ? "is no longer there" : "cannot be read: you may lack the permission, or another program keeps it" });
  }
}
