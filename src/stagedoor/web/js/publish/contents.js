/** What an entry holds, in a few lines: sequences are summed up. */
import { h } from "../dom.js";
import { summed } from "../ui/tree.js";
import { bytes, counted } from "../words.js";

/** @param {import("./offering.js").Entry} entry */
export function contents(entry) {
  const { summary } = entry;
  if (!summary || !entry.found.node.is_dir) return null;
  const { more, empty } = summary;
  return h(
    "ul",
    { class: "contents" },
    summary.groups.map((group) => h("li", {}, summed(group))),
    more.files ? h("li", { class: "muted" }, `and ${counted(more.files, "more file", "more files")}, ${bytes(more.size)}`) : null,
    empty ? h("li", { class: "muted" }, counted(empty, "empty folder")) : null,
    !summary.groups.length && !empty ? h("li", { class: "muted" }, "no files") : null,
  );
}
