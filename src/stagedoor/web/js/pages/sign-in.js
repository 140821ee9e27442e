/** Signing in: with a password, a passkey, or a link by mail; also where such a link leads. */
import { get, post } from "../api.js";
import { fill, h } from "../dom.js";
import { assertion, passkeysWork } from "../passkeys.js";
import { secretOfLink, session } from "../session.js";
import { field } from "../ui/field.js";
import { refused } from "../ui/refused.js";

export const title = "Sign in";

export async function show(page) {
  const token = secretOfLink();
  if (token) return byLink(page, token);
  const studio = await get("/sign-in", { signal: page.signal });
  const user = field("E-mail address", h("input", { type: "email", autocomplete: "username webauthn", required: true, autofocus: true }));
  const password = field("Password", h("input", { type: "password", autocomplete: "current-password", required: true }));
  const says = h("div", { role: "alert" });
  const button = h("button", { class: "button primary", type: "submit" }, "Sign in");
  const form = h("form", { class: "card" }, h("h1", {}, `Sign in to ${studio.workspace}`), says, user.element, password.element, h("div", { class: "row apart" }, button, others(page, studio, user, says)));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await attempt(page, says, button, () => post("/sign-in/password", { user: user.input.value.trim(), password: password.input.value }));
  });
  fill(page.main, h("div", { class: "narrow" }, form, h("p", { class: "muted small" }, "No account? The studio invites you by a link.", studio.links ? null : " A forgotten password is set anew by a new link from the studio.")));
  user.input.focus();
  return undefined;
}

/** The ways beside the password. */
function others(page, studio, user, says) {
  const ways = [];
  if (passkeysWork(studio)) {
    const button = h("button", { class: "button", type: "button" }, "Use a passkey");
    button.addEventListener("click", () => attempt(page, says, button, passkey));
    ways.push(button);
  }
  if (studio.links) {
    const button = h("button", { class: "button quiet", type: "button" }, "Mail me a link");
    button.addEventListener("click", () => mail(says, button, user));
    ways.push(button);
  }
  return h("div", { class: "row" }, ways);
}

async function passkey() {
  const { options, ticket } = await post("/sign-in/passkey/begin");
  return post("/sign-in/passkey/finish", { ticket, credential: await assertion(options) });
}

async function mail(says, button, user) {
  if (!user.input.reportValidity()) return;
  button.disabled = true;
  try {
    await post("/sign-in/link", { user: user.input.value.trim() });
    fill(says, h("p", { class: "notice good" }, "If there is an account with this address, a link is on its way. It works once, for 15 minutes."));
  } catch (error) {
    refused(says, error);
  } finally {
    button.disabled = false;
  }
}

/** Only this page's own request uses the link up: programs that look into mails do not. */
function byLink(page, token) {
  // Out of the list of visited pages; a reload still finds it.
  history.replaceState({ token }, "", location.pathname + location.search);
  const says = h("div", { role: "alert" });
  const button = h("button", { class: "button primary", type: "button", autofocus: true }, "Sign in");
  button.addEventListener("click", () => attempt(page, says, button, () => post("/sign-in/link/redeem", { token })));
  fill(page.main, h("div", { class: "narrow card" }, h("h1", {}, "Sign in"), says, h("p", {}, "This link signs you in, once. If you forgot your password, set a new one under Your account within 15 minutes after that."), h("div", { class: "row" }, button, h("a", { class: "button quiet", href: "/sign-in" }, "Another way"))));
  button.focus();
}

async function attempt(page, says, button, act) {
  button.disabled = true;
  fill(says);
  try {
    session.me = await act();
    const wanted = page.query.get("to") ?? "/";
    // Addresses of this site alone: `//elsewhere` would be one of another.
    await page.go(/^\/(?![/\\])/.test(wanted) ? wanted : "/", { replace: true });
  } catch (error) {
    refused(says, error);
  } finally {
    button.disabled = false;
  }
}
