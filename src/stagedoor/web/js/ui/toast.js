/**
 * A short word at the edge of the page that goes by itself. What must not be missed belongs on the page instead. While a
 * dialogue is open it stands in there: the rest of the page is out of reach then.
 */
import { fill, h } from "../dom.js";

/** @param {string} text @param {"" | "bad"} kind */
export function toast(text, kind = "") {
  const says = [...document.querySelectorAll("dialog[open] > .dialog-says")].at(-1);
  if (says) return void fill(says, h("p", { class: `notice ${kind || "good"}` }, text));
  const made = h("div", { class: `toast ${kind}` }, text);
  document.getElementById("toasts").append(made);
  setTimeout(() => made.remove(), Math.max(4000, text.length * 70));
  return undefined;
}
