/** The files of an entry, folder by folder: of each as many as one can look at. */
import { fill, h, icon } from "../dom.js";
import { bytes, counted, number } from "../words.js";
import { later } from "../ui/later.js";

const MOST = 200;

/** @param {any} entry as `GET /jobs/{id}/tasks/{task}/files` answers */
export function tree(entry) {
  if (!entry.is_dir) return h("p", { class: "small muted" }, `One file of ${bytes(entry.size ?? 0)}.`);
  return list(entry.files ?? []);
}

function list(nodes) {
  if (!nodes.length) return h("p", { class: "small muted" }, "An empty folder.");
  const shown = h("ul", { class: "job-tree" });
  let from = 0;
  const more = h("button", { class: "button small", type: "button" });
  const add = () => {
    shown.append(...nodes.slice(from, from + MOST).map(line));
    from += MOST;
    more.hidden = from >= nodes.length;
    fill(more, `${number(Math.min(MOST, nodes.length - from))} more of ${number(nodes.length)}`);
  };
  more.addEventListener("click", add);
  add();
  return [shown, more];
}

function line(node) {
  if (!node.files && !node.is_dir) return h("li", {}, h("span", { class: "any mono" }, node.filename), h("span", { class: "muted small nowrap" }, bytes(node.size ?? 0)));
  const name = h("span", { class: "icon-inline row" }, icon("folder"), h("span", { class: "any mono grow" }, node.filename), h("span", { class: "muted small" }, counted(node.files?.length ?? 0, "item")));
  return h("li", { class: "folder" }, later(name, async () => list(node.files ?? [])));
}
