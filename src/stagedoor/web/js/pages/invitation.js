/**
 * Where an invitation leads. Its secret stands behind the `#` of the address, which no server and no proxy ever sees; only
 * the requests of this page use it.
 */
import { get, post } from "../api.js";
import { fill, h } from "../dom.js";
import { attestation, passkeysWork } from "../passkeys.js";
import { secretOfLink, session } from "../session.js";
import { field } from "../ui/field.js";
import { newPassword, userName } from "../ui/password.js";
import { refused } from "../ui/refused.js";
import { exactly } from "../words.js";

export const title = "Invitation";

export async function show(page) {
  const token = secretOfLink();
  if (!token) return fill(page.main, noToken());
  const invited = await look(page, token);
  if (!invited) return undefined;
  const studio = await get("/sign-in", { signal: page.signal });
  // The secret is not left in the list of visited pages; a reload still finds it.
  history.replaceState({ token }, "", location.pathname);
  const says = h("div", { role: "alert" });
  const name = field("Your name", h("input", { autocomplete: "name", maxlength: 200 }), { optional: true, hint: "As the studio is to see it." });
  const password = newPassword("Password", invited.email);
  const button = h("button", { class: "button primary", type: "submit" }, "Set the password and go on");
  const form = h("form", {}, invited.existing ? null : name.element, userName(invited.email), password.element, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!password.check()) return;
    await redeem(page, says, async () => ({ token, name: name.input.value.trim(), password: password.input.value }));
  });
  const passkey = async () => {
    const { options, ticket } = await post("/sign-in/redeem/begin", { token });
    return { token, name: name.input.value.trim(), ticket, credential: await attestation(options) };
  };
  fill(page.main, card(invited, says, form, passkeysWork(studio) ? instead(() => redeem(page, says, passkey)) : null));
  (invited.existing ? password : name).input.focus();
  return undefined;
}

async function look(page, token) {
  try {
    return await post("/sign-in/invitation", { token }, { signal: page.signal });
  } catch (error) {
    if (error.code !== "invitation_over") throw error;
    fill(page.main, h("div", { class: "narrow card" }, h("h1", {}, "This invitation cannot be used"), h("p", {}, error.message), h("p", {}, h("a", { href: "/sign-in" }, "Sign in"), " if you have an account already.")));
    return null;
  }
}

function card(invited, says, form, passkey) {
  return h(
    "div",
    { class: "narrow card" },
    h("h1", {}, invited.existing ? `Sign in to ${invited.workspace}` : `Welcome to ${invited.workspace}`),
    h("p", {}, invited.existing ? "You have an account here, " : "You are invited as ", h("strong", {}, invited.email), ". Choose how you will sign in from now on."),
    says,
    form,
    passkey,
    h("p", { class: "muted small" }, `The invitation can be used once, until ${exactly(invited.expires)}.`),
  );
}

function instead(act) {
  const button = h("button", { class: "button", type: "button", on: { click: act } }, "Use a passkey instead");
  return h("div", {}, h("hr"), h("p", { class: "muted small" }, "A passkey is kept by this device or your password manager; there is nothing to remember."), button);
}

async function redeem(page, says, given) {
  const buttons = page.main.querySelectorAll("button");
  buttons.forEach((button) => (button.disabled = true));
  fill(says);
  try {
    session.me = await post("/sign-in/redeem", await given());
    await page.go("/", { replace: true });
  } catch (error) {
    refused(says, error);
  } finally {
    buttons.forEach((button) => (button.disabled = false));
  }
}

function noToken() {
  return h("div", { class: "narrow card" }, h("h1", {}, "Open the whole link"), h("p", {}, "The address of an invitation has a long word behind a #, and here it is missing. Open the link from the invitation as it is, or ask the studio for a new one."));
}
