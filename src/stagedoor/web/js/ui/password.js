/** A field for a new password: what it must have is said at once, not after the form is sent. */
import { h } from "../dom.js";
import { field } from "./field.js";

export const LEAST = 12;

/** @param {string} label @param {string} email which the password must not be */
export function newPassword(label, email) {
  const input = h("input", { type: "password", autocomplete: "new-password", required: true, "aria-required": "true" });
  const made = field(label, input, { hint: `At least ${LEAST} characters; a few words in a row are easy to remember and hard to guess.` });
  const fault = () => {
    const { value } = input;
    if ([...value].length < LEAST) return `It has ${[...value].length} characters; at least ${LEAST} are needed.`;
    if (value.trim().toLowerCase() === email.toLowerCase()) return "It must not be the e-mail address.";
    return "";
  };
  const shows = h("input", { type: "checkbox", id: `${input.id}-shown`, on: { change: (event) => (input.type = event.target.checked ? "text" : "password") } });
  input.after(h("label", { class: "row small muted", for: shows.id }, shows, "Show it"));
  input.addEventListener("input", () => input.getAttribute("aria-invalid") === "true" && made.wrong(fault()));
  const check = () => {
    made.wrong(fault());
    if (fault()) input.focus();
    return !fault();
  };
  return { ...made, check };
}

/** Password managers look for the name beside the password. */
export function userName(email) {
  return h("input", { class: "unseen", type: "email", autocomplete: "username", value: email, readonly: true, tabindex: "-1", "aria-hidden": "true" });
}
