/** Pairs of text on a thing: internal ones for the studio and its hooks, external ones that the vendor sees. */
import { h } from "../dom.js";
import { dialog } from "../ui/dialog.js";
import { field } from "../ui/field.js";
import { attempt } from "./act.js";
import { facts } from "./entries.js";
import { linesOf, pairsOf } from "./pairs.js";

/**
 * @param {any} metadata
 * @param {boolean} inside
 * @param {((change: any) => Promise<unknown>) | null} change null: may not be changed
 */
export function metadata(metadata, inside, change) {
  const { internal = {}, external = {} } = metadata;
  const pairs = [...Object.entries(external), ...Object.entries(internal).map(([name, value]) => [`${name} (internal)`, value])];
  if (!pairs.length && !inside) return null;
  const button = change ? h("button", { class: "button small", id: "edit-metadata", type: "button", on: { click: () => edit(metadata, change) } }, "Change the metadata") : null;
  return h("section", { "aria-labelledby": "metadata" }, h("h2", { id: "metadata" }, "Metadata"), pairs.length ? facts(pairs) : h("p", { class: "muted" }, "None. Pairs of text go to the studio's hooks."), h("div", { class: "row" }, button));
}

async function edit(before, change) {
  await dialog("Metadata", (close) => {
    const internal = field("For the studio", h("textarea", { value: linesOf(before.internal), rows: 4, class: "mono", autofocus: true }), { hint: "One key=value in a line; hooks read them." });
    const external = field("For the vendor as well", h("textarea", { value: linesOf(before.external), rows: 4, class: "mono" }));
    const form = h("form", {}, internal.element, external.element, h("div", { class: "row" }, h("button", { class: "button", type: "button", on: { click: () => close() } }, "Cancel"), h("button", { class: "button primary", type: "submit" }, "Save")));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const wanted = { internal: changed(before.internal, internal), external: changed(before.external, external) };
      if (wanted.internal && wanted.external && (await attempt(() => change(wanted)))) close();
    });
    return form;
  });
}

/** What a PATCH sets and takes away; null where a line is no pair. */
function changed(before = {}, { input, wrong }) {
  wrong("");
  try {
    const now = Object.entries(pairsOf(input.value, /^\s*[^=\s][^=]*=/, "key=value")).map(([name, value]) => [name, value.trim()]);
    return { ...Object.fromEntries(Object.keys(before).map((name) => [name, null])), ...Object.fromEntries(now) };
  } catch (error) {
    wrong(error.message);
    return null;
  }
}
