/** Dialogues: the browser's own element, which keeps the focus inside and closes with Escape. */
import { freshId, h } from "../dom.js";

/**
 * Ask before something is done that cannot be taken back. Resolves to true where the user agreed.
 *
 * @param {{title: string, text: string, yes: string, no?: string, danger?: boolean}} question
 * @returns {Promise<boolean>}
 */
export function ask({ title, text, yes, no = "Cancel", danger = false }) {
  return dialog(title, (close) => [
    h("p", {}, text),
    h(
      "div",
      { class: "row" },
      h("button", { class: "button", type: "button", on: { click: () => close(false) } }, no),
      h("button", { class: danger ? "button danger" : "button primary", type: "button", autofocus: true, on: { click: () => close(true) } }, yes),
    ),
  ]).then(Boolean);
}

/**
 * A dialogue with content of your own; resolves to what `close` was given, or undefined where the user closed it.
 *
 * @template T
 * @param {string} title
 * @param {(close: (value?: T) => void) => import("../dom.js").Child} content
 * @returns {Promise<T | undefined>}
 */
export function dialog(title, content) {
  const heading = freshId("dialog");
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  return new Promise((resolve) => {
    let value;
    const close = (given) => {
      value = given;
      element.close();
    };
    const element = h("dialog", { "aria-labelledby": heading }, h("h2", { id: heading }, title), h("div", { class: "dialog-says", role: "alert" }), content(close));
    element.addEventListener("close", () => {
      element.remove();
      const back = before?.isConnected ? before : document.getElementById(before?.id); // It may have been drawn anew.
      back?.focus?.();
      resolve(value);
    });
    document.body.append(element);
    element.showModal();
  });
}
