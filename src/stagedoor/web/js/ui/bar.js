/** A bar that shows how far something is. */
import { h } from "../dom.js";

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
