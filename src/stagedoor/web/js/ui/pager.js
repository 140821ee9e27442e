/** From page to page of a list. */
import { fill, h } from "../dom.js";
import { number } from "../words.js";

/** @param {(skip: number) => void} go @param {string} [one] @param {string} [many] what is counted */
export function pager(go, one = "line", many = `${one}s`) {
  const says = h("span", { role: "status" });
  const buttons = { back: button("Newer", -1), on: button("Older", 1) };
  const element = h("nav", { class: "pager", "aria-label": "Pages of this list" }, says, h("span", { class: "grow" }), buttons.back, buttons.on);
  let skip = 0;
  let size = 50;
  function button(name, step) {
    return h("button", { class: "button small", type: "button", on: { click: () => go(Math.max(0, skip + step * size)) } }, name);
  }
  /** @param {{total: number, shown: number, from: number, limit: number}} page */
  const show = ({ total, shown, from, limit }) => {
    [skip, size] = [from, limit];
    const range = shown && total > shown ? `${number(from + 1)}–${number(from + shown)} of ` : "";
    fill(says, total ? `${range}${number(total)} ${total === 1 ? one : many}` : "");
    buttons.back.disabled = from === 0;
    buttons.on.disabled = from + shown >= total;
    buttons.back.hidden = buttons.on.hidden = total <= limit && from === 0;
    element.hidden = !total;
  };
  return { element, show };
}
