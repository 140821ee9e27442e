/** A field of a form with its label, hint and what is wrong, tied together for screen readers. */
import { fill, freshId, h } from "../dom.js";

/**
 * @param {string} label
 * @param {HTMLElement} input
 * @param {{hint?: string, optional?: boolean}} [options]
 * @returns {{element: HTMLElement, input: any, wrong: (text: string) => void}} `wrong("")` takes the word back
 */
export function field(label, input, { hint = "", optional = false } = {}) {
  input.id ||= freshId("field");
  const says = h("div", { class: "wrong", id: `${input.id}-wrong`, role: "alert", hidden: true });
  const hints = hint ? h("div", { class: "hint", id: `${input.id}-hint` }, hint) : null;
  const describe = (bad) => {
    const ids = [hints?.id, bad ? says.id : ""].filter(Boolean).join(" ");
    if (ids) input.setAttribute("aria-describedby", ids);
    else input.removeAttribute("aria-describedby");
  };
  describe(false);
  const wrong = (text) => {
    says.hidden = !text;
    fill(says, text);
    input.setAttribute("aria-invalid", String(Boolean(text)));
    describe(Boolean(text));
  };
  const name = h("label", { for: input.id }, label, optional ? h("span", { class: "muted small" }, " (optional)") : null);
  return { element: h("div", { class: "field" }, name, input, hints, says), input, wrong };
}
