/** Whether files found again are those that were validated, and which file stands where on the tape. */
import { filesOf } from "../scan/tree.js";

/**
 * @param {any} entry  the validated tree: what `GET /jobs/{id}/tasks/{task}/files` answers
 * @param {import("../scan/find.js").Node} node  what was found
 * @returns {{files: File[], sizes: number[], changes: {path: string, reason: string}[]}}
 */
export function match(entry, node) {
  const there = new Map(filesOf(node));
  const made = { files: [], sizes: [], changes: [] };
  for (const [path, wanted] of validated(entry)) {
    const leaf = there.get(path);
    const reason = difference(wanted, leaf);
    if (reason) made.changes.push({ path: path || entry.filename, reason });
    made.files.push(leaf?.file);
    made.sizes.push(wanted.size ?? 0);
  }
  return made;
}

function* validated(node, above = "") {
  if (!isFolder(node)) {
    yield [above, node];
    return;
  }
  for (const child of node.files ?? []) yield* validated(child, above ? `${above}/${child.filename}` : child.filename);
}

const isFolder = (node) => node.is_dir ?? node.files !== undefined;

function difference(wanted, leaf) {
  if (!leaf?.file) return "is not there any more";
  if (leaf.size !== (wanted.size ?? 0)) return "has another size than when it was checked";
  if (wanted.modified && leaf.modified !== wanted.modified) return "was changed after it was checked";
  return "";
}

/** In a few words. @param {{path: string, reason: string}[]} changes */
export function spokenChanges(changes, most = 5) {
  const told = changes.slice(0, most).map(({ path, reason }) => `${path} ${reason}`);
  const further = changes.length - told.length;
  return told.join("; ") + (further ? `; and ${further} more` : "");
}
