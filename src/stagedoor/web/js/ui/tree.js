/** The files of an entry, folder by folder, sequences summed up: a folder is drawn when it is opened, of many as many as one can look at. */
import { breakable, h, icon } from "../dom.js";
import { amount, groups } from "../sequences.js";
import { counted, number } from "../words.js";
import { gaps } from "./gaps.js";
import { later } from "./later.js";

/** Lines of one folder that are drawn at once. */
const ROWS = 200;

/** An empty folder may be without `files`. @typedef {{filename: string, is_dir?: boolean, size?: number, files?: Node[]}} Node */

/** @param {Node} node */
const isFolder = (node) => Boolean(node.is_dir || node.files);

/** @param {Node[]} nodes */
export function tree(nodes) {
  const files = groups(nodes.filter((node) => !isFolder(node)).map((node) => [node.filename, node.size ?? 0]));
  const rows = [
    ...nodes.filter(isFolder).map((node) => () => branch(node)),
    ...files.map((group) => () => h("li", {}, icon(group.frames ? "film" : "file"), h("span", {}, summed(group)))),
  ];
  const list = h("ul", { class: "tree" });
  grow(list, rows, 0);
  return list;
}

/** A file, or a sequence. @param {import("../sequences.js").Group} group */
export function summed(group) {
  return [
    h("span", { class: "group" }, h("span", { class: "mono" }, breakable(group.name)), h("span", { class: "muted" }, ` ${amount(group)}`), group.missing ? h("span", { class: "missing" }, ` missing ${group.missing}`) : null),
    group.frames ? gaps(group) : null,
  ];
}

/** The first of those that were added has the focus. */
function grow(list, rows, from) {
  list.append(...rows.slice(from, from + ROWS).map((make) => make()));
  const left = rows.length - from - ROWS;
  if (left <= 0) return;
  const more = h("button", { class: "button small", type: "button" }, `Show more (${number(left)} left)`);
  const item = h("li", {}, more);
  more.addEventListener("click", () => {
    item.remove();
    const before = list.childElementCount;
    grow(list, rows, from + ROWS);
    list.children[before].setAttribute("tabindex", "-1");
    /** @type {HTMLElement} */ (list.children[before]).focus();
  });
  list.append(item);
}

/** @param {Node} node */
function branch({ filename, files = [] }) {
  const name = [icon("folder"), h("span", { class: "mono" }, breakable(`${filename}/`))];
  if (!files.length) return h("li", {}, name, h("span", { class: "muted" }, "empty"));
  return h("li", { class: "branch" }, later([name, h("span", { class: "muted" }, ` ${counted(files.length, "item")}`)], async () => tree(files)));
}
