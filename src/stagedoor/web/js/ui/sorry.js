/** What is shown instead of a page, or of a part of one, that could not be had. */
import { h } from "../dom.js";
import { Refusal, Unreachable } from "../api.js";

/** @param {Error} error @param {() => void} [again] */
export function sorry(error, again) {
  const known = error instanceof Refusal || error instanceof Unreachable;
  const reference = error instanceof Refusal ? error.requestId : "";
  if (!known) console.error(error);
  const text = known ? error.message : "This page has an error. Reloading it may help; if not, tell the studio what you did.";
  return h(
    "div",
    { class: "notice bad", role: "alert" },
    h("p", {}, text),
    reference ? h("p", { class: "small muted" }, "Reference ", h("code", {}, reference)) : null,
    again ? h("button", { class: "button small", type: "button", on: { click: () => again() } }, "Try again") : null,
  );
}
