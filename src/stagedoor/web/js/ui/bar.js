/** Bars that show how far something is. */
import { h } from "../dom.js";

/** One that does not move. @param {number} share 0 to 1 @param {string} label the same in words @param {"" | "good" | "bad"} [kind] */
export function still(share, label, kind = "") {
  return h("div", { class: `bar ${kind}`, role: "img", "aria-label": label, title: label, style: { "--share": share } }, h("span"));
}

/** @param {string} label what it is about, for who cannot see it */
export function bar(label) {
  const element = h("div", { class: "bar", role: "progressbar", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100" }, h("span"));
  /** @param {number} share 0 to 1 @param {"" | "good" | "bad"} [kind] */
  const set = (share, kind = "") => {
    const bounded = Math.min(1, Math.max(0, share));
    element.className = `bar ${kind}`;
    element.style.setProperty("--share", String(bounded));
    element.setAttribute("aria-valuenow", String(Math.floor(bounded * 100)));
  };
  set(0);
  return { element, set };
}
