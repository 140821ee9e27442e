/** A short word at the edge of the page that goes by itself. What must not be missed belongs on the page instead. */
import { h } from "../dom.js";

/** @param {string} text @param {"" | "bad"} kind */
export function toast(text, kind = "") {
  const made = h("div", { class: `toast ${kind}` }, text);
  document.getElementById("toasts").append(made);
  setTimeout(() => made.remove(), Math.max(4000, text.length * 70));
}
