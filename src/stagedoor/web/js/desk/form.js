/** Forms in a dialogue: fields, save and cancel; what the server refuses is said in the form. */
import { fill, h } from "../dom.js";
import { dialog } from "../ui/dialog.js";
import { field } from "../ui/field.js";

/**
 * @typedef {object} Wish
 * @property {string} name
 * @property {string} label
 * @property {any} [input]   an element with `value`; else a line of text
 * @property {string} [hint]
 * @property {string} [value]
 * @property {boolean} [optional]
 */

/**
 * Resolves to what `save` gave, or undefined where it was closed.
 *
 * @param {string} title
 * @param {Wish[]} wishes
 * @param {(values: any) => Promise<any>} save
 * @param {string} [yes]
 * @param {(values: () => any) => import("../dom.js").Child} [also] what stands below the fields
 */
export function form(title, wishes, save, yes = "Save", also = () => null) {
  return dialog(title, (close) => {
    const says = h("div", { role: "alert" });
    const inputs = wishes.map((wish, index) => {
      const input = wish.input ?? h("input", { value: wish.value ?? "" });
      if (!index) input.setAttribute("autofocus", "");
      if (!wish.optional && input.type !== "checkbox") input.required = true;
      return { wish, ...field(wish.label, input, { hint: wish.hint, optional: wish.optional }) };
    });
    const button = h("button", { class: "button primary", type: "submit" }, yes);
    const values = () => Object.fromEntries(inputs.map(({ wish, input }) => [wish.name, input.type === "checkbox" ? input.checked : input.value.trim()]));
    const element = h("form", {}, says, inputs.map((one) => one.element), also(values), h("div", { class: "row" }, h("button", { class: "button", type: "button", on: { click: () => close() } }, "Cancel"), button));
    element.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        close((await save(values())) ?? true);
      } catch (error) {
        fill(says, h("p", { class: "notice bad" }, error.message));
      } finally {
        button.disabled = false;
      }
    });
    return element;
  });
}

/** @param {any[]} options value and name @param {string} [chosen] */
export const choice = (options, chosen = "") => h("select", {}, options.map(([value, name]) => h("option", { value, selected: value === chosen }, name)));
