/** What an entry holds: a few lines with sequences summed up, and the whole tree, drawn where it is opened. */
import { fill, h, icon } from "../dom.js";
import { amount, groups } from "../sequences.js";
import { gaps } from "../ui/gaps.js";
import { bytes, counted } from "../words.js";

/** Lines of one folder that are drawn at once. */
const ROWS = 200;

/** @param {import("./offering.js").Entry} entry */
export function contents(entry) {
  const { summary } = entry;
  if (!summary || !entry.found.node.is_dir) return null;
  const { more, empty } = summary;
  return h(
    "ul",
    { class: "contents" },
    summary.groups.map((group) => h("li", {}, row(group))),
    more.files ? h("li", { class: "muted" }, `and ${counted(more.files, "more file", "more files")}, ${bytes(more.size)}`) : null,
    empty ? h("li", { class: "muted" }, counted(empty, "empty folder")) : null,
    !summary.groups.length && !empty ? h("li", { class: "muted" }, "no files") : null,
  );
}

function row(group) {
  return [
    h("span", { class: "group" }, h("span", { class: "mono" }, group.name), h("span", { class: "muted" }, ` ${amount(group)}`), group.missing ? h("span", { class: "missing" }, ` missing ${group.missing}`) : null),
    group.frames ? gaps(group) : null,
  ];
}

/** All files of an entry, folder by folder; a folder is drawn when it is opened. @param {import("../scan/find.js").Node} folder */
export function tree(folder) {
  const here = groups(folder.files.filter((child) => !child.is_dir).map((child) => [child.filename, child.size]));
  const rows = [
    ...folder.files.filter((child) => child.is_dir).map((child) => () => branch(child)),
    ...here.map((group) => () => h("li", {}, icon(group.frames ? "film" : "file"), h("span", {}, row(group)))),
  ];
  const list = h("ul", { class: "tree" });
  grow(list, rows, 0);
  return list;
}

function grow(list, rows, from) {
  list.append(...rows.slice(from, from + ROWS).map((make) => make()));
  const left = rows.length - from - ROWS;
  if (left <= 0) return;
  const more = h("button", { class: "button small", type: "button" }, `Show more (${left} left)`);
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

function branch(folder) {
  const name = [icon("folder"), h("span", { class: "mono" }, `${folder.filename}/`)];
  if (!folder.files.length) return h("li", {}, name, h("span", { class: "muted" }, "empty"));
  return h("li", { class: "branch" }, unfolding(name, () => tree(folder)));
}

/** Something that shows more when it is opened, which is made then. @param {import("../dom.js").Child} name @param {() => Element} make */
export function unfolding(name, make) {
  const inside = h("div", {});
  const element = h("details", {}, h("summary", {}, name), inside);
  element.addEventListener("toggle", () => fill(inside, element.open ? make() : null));
  return element;
}
