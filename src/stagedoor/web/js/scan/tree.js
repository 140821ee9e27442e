/** Looking at a tree that was found: its files in order, what it holds in a few lines, and how it is offered. */
import { Sequences } from "../sequences.js";
import { Slices } from "./slices.js";

/** @typedef {import("./find.js").Node} Node */

/** What an entry holds, summed up. @typedef {{groups: import("../sequences.js").Group[], more: {files: number, size: number}, empty: number}} Summary */

const LINES = 12;
/** Of a text that are put together at a time. */
const PIECES = 2000;

/** Every file in the order of the tape, with its path below the entry ("" for an entry that is a file). @param {Node} node @returns {Generator<[string, Node]>} */
export function* filesOf(node, above = "") {
  if (!node.is_dir) {
    yield [above, node];
    return;
  }
  for (const child of node.files) {
    const path = above ? `${above}/${child.filename}` : child.filename;
    yield* filesOf(child, path);
  }
}

/** An offer of these as it travels, as JSON: written piece by piece, since one text of very many files takes long. @param {{id: string, node: Node}[]} entries */
export async function written(entries) {
  const text = new Text();
  await text.list(entries, ({ id, node }) => writeNode(text, node, { id, filename: node.filename, is_dir: node.is_dir }));
  return new Blob(['{"client":"page","files":', text.blob(), "}"], { type: "application/json" });
}

/** @param {Text} text @param {Node} node @param {object} told what is said of it beside its size, or its files */
async function writeNode(text, node, told) {
  const { size, modified, files } = node;
  if (!node.is_dir) return text.add(JSON.stringify({ ...told, size, modified }));
  text.add(`${JSON.stringify(told).slice(0, -1)},"files":`);
  await text.list(files, (child) => writeNode(text, child, child.is_dir ? { filename: child.filename, is_dir: true } : { filename: child.filename }));
  return text.add("}");
}

/** A long text that is made in slices. */
class Text {
  constructor() {
    /** @type {string[]} */
    this.pieces = [];
    /** @type {Blob[]} */
    this.blobs = [];
    this.slices = new Slices();
  }

  add(piece) {
    if (this.pieces.push(piece) >= PIECES) this.blobs.push(new Blob(this.pieces.splice(0)));
  }

  /** @template T @param {T[]} items @param {(item: T) => Promise<unknown>} write */
  async list(items, write) {
    this.add("[");
    for (let index = 0; index < items.length; index += 1) {
      if (index) this.add(",");
      await write(items[index]);
      if (this.slices.due) await this.slices.breathe();
    }
    this.add("]");
  }

  blob() {
    return new Blob([...this.blobs, ...this.pieces]);
  }
}

/** @param {Node} node @returns {Promise<Summary>} */
export async function summary(node) {
  /** @type {Summary} */
  const made = { groups: [], more: { files: 0, size: 0 }, empty: 0 };
  await sumUp(node, "", made, new Slices());
  return made;
}

async function sumUp(node, prefix, made, slices) {
  if (!node.is_dir) return;
  const here = new Sequences();
  for (const child of node.files) {
    if (!child.is_dir) here.add(child.filename, child.size);
    if (slices.due) await slices.breathe();
  }
  const groups = [];
  for (const _ of here.steps(groups)) if (slices.due) await slices.breathe();
  for (const group of groups) {
    if (made.groups.length < LINES) made.groups.push({ ...group, name: prefix + group.name });
    else {
      made.more.files += group.files;
      made.more.size += group.size;
    }
  }
  made.empty += Number(!node.files.length);
  for (const child of node.files) if (child.is_dir) await sumUp(child, `${prefix}${child.filename}/`, made, slices);
}
