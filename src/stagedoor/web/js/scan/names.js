/** Names as they travel, which of them are left out, and their order. */

const JUNK = new Set([".DS_Store", "Thumbs.db", "desktop.ini", "Icon\r"]);

/** Files that desktop systems leave behind and nobody means to publish. */
export function isJunk(name) {
  return JUNK.has(name) || name.startsWith("._");
}

/** The one spelling of a name: NFC. */
export function normal(name) {
  return name.normalize("NFC");
}

/**
 * Sorted by `filename` as people do: digits count as numbers, `f.2` before `f.10`.
 *
 * @template {{filename: string}} N
 * @param {N[]} nodes @param {import("./slices.js").Slices} slices
 * @returns {Promise<N[]>}
 */
export async function inOrder(nodes, slices) {
  const keyed = [];
  for (const node of nodes) {
    keyed.push({ node, key: orderKey(node.filename) });
    if (slices.due) await slices.breathe();
  }
  keyed.sort((a, b) => compare(a.key, b.key) || compare(a.node.filename, b.node.filename));
  return keyed.map(({ node }) => node);
}

const compare = (a, b) => (a < b ? -1 : Number(a > b));

/** Numbers padded, so that comparing text compares them. */
function orderKey(name) {
  return name.replace(/\d+/g, (digits) => digits.replace(/^0+(?=\d)/, "").padStart(20, "0"));
}
