/** A text to take along, with a button that copies it. */
import { fill, h, icon } from "../dom.js";

/** @param {string} text @param {string} label what it is */
export function copied(text, label) {
  const shown = h("input", { class: "mono", readonly: true, value: text, "aria-label": label, on: { focus: (event) => event.target.select() } });
  const button = h("button", { class: "button", type: "button" }, icon("copy"), "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      fill(button, icon("check"), "Copied");
    } catch {
      shown.select(); // Without https a browser gives no clipboard; Ctrl+C does.
    }
  });
  return h("div", { class: "copied" }, shown, button);
}
