/** Parts of a page that are asked for when somebody wants to see them. */
import { fill, h } from "../dom.js";
import { sorry } from "./sorry.js";

/**
 * A fold that loads what is in it when it is opened.
 *
 * @param {import("../dom.js").Child} name
 * @param {() => Promise<import("../dom.js").Child>} load
 * @param {{class?: string, open?: boolean, id?: string}} [options]
 */
export function later(name, load, options = {}) {
  const inside = h("div", { class: "later" });
  const element = h("details", { class: options.class, id: options.id }, h("summary", {}, name), inside);
  element.addEventListener("toggle", () => {
    if (element.open && !inside.hasChildNodes()) void loaded(inside, load);
  });
  element.open = Boolean(options.open);
  return element;
}

/** Fill a part of a page with what is loaded. @param {HTMLElement} place @param {() => Promise<import("../dom.js").Child>} load */
export async function loaded(place, load) {
  const wait = setTimeout(() => fill(place, h("p", { class: "muted small" }, "Loading…")), 300);
  try {
    const made = await load();
    clearTimeout(wait);
    fill(place, made);
  } catch (error) {
    clearTimeout(wait);
    if (error.name !== "AbortError") fill(place, sorry(error, () => void loaded(place, load)));
  }
}
