/** Looking at a tree that was found: its files in order, what it holds in a few lines, and how it is offered. */
import { Sequences } from "../sequences.js";
import { Slices } from "./slices.js";

/** @typedef {import("./find.js").Node} Node */

/** What an entry holds, summed up. @typedef {{groups: import("../sequences.js").Group[], more: {files: number, size: number}, empty: number}} Summary */

const LINES = 12;

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

/** As it travels. @param {Node} node */
export async function wire(node, slices = new Slices()) {
  if (!node.is_dir) return { filename: node.filename, is_dir: false, size: node.size, modified: node.modified };
  const files = [];
  for (const child of node.files) {
    files.push(child.is_dir ? await wire(child, slices) : { filename: child.filename, size: child.size, modified: child.modified });
    if (slices.due) await slices.breathe();
  }
  return { filename: node.filename, is_dir: true, files };
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
