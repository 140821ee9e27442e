/** What a form says where its request was refused. */
import { Refusal, Unreachable } from "../api.js";
import { fill, h } from "../dom.js";
import { PasskeyTrouble } from "../passkeys.js";
import { lasting } from "../words.js";

/** @param {HTMLElement} says an alert of the form @param {Error} error */
export function refused(says, error) {
  fill(says, h("p", { class: "notice bad" }, words(error)));
}

/** @param {Error} error */
export function words(error) {
  if (error instanceof Refusal && error.retryAfter) return `${error.message} Try again in ${lasting(error.retryAfter)}.`;
  if (error instanceof Refusal || error instanceof Unreachable || error instanceof PasskeyTrouble) return error.message;
  console.error(error);
  return "This page has an error. Reloading it may help; if not, tell the studio what you did.";
}
