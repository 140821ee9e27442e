/** One's own account: password, passkeys, sessions, API keys. */
import { get, post, put, remove } from "../api.js";
import { fill, h, icon } from "../dom.js";
import { attestation, passkeysWork } from "../passkeys.js";
import { ask, dialog } from "../ui/dialog.js";
import { field } from "../ui/field.js";
import { newPassword } from "../ui/password.js";
import { copied } from "../ui/copied.js";
import { sorry } from "../ui/sorry.js";
import { toast } from "../ui/toast.js";
import { exactly, when } from "../words.js";

export const title = "Your account";

export function show(page) {
  const { me } = page;
  const main = h("div", { class: "account" });
  fill(page.main, main);
  fill(
    main,
    h("h1", {}, "Your account"),
    h("dl", {}, h("dt", {}, "E-mail address"), h("dd", {}, me.code), me.name ? [h("dt", {}, "Name"), h("dd", {}, me.name)] : null, h("dt", {}, "Role"), h("dd", {}, me.role)),
    password(me),
    passkeysWork() ? list(page, PASSKEYS) : null,
    list(page, SESSIONS),
    list(page, KEYS),
  );
}

// --- password

function password(me) {
  const old = me.old_password ? field("Present password", h("input", { type: "password", autocomplete: "current-password", required: true })) : null;
  const fresh = newPassword("New password", me.code);
  const says = h("div", { role: "alert" });
  const form = h("form", { class: "account-form" }, says, old?.element, fresh.element, h("button", { class: "button", type: "submit" }, me.has_password ? "Change the password" : "Set a password"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!fresh.check()) return;
    fill(says);
    try {
      await put("/me/password", { old: old?.input.value ?? null, password: fresh.input.value });
      form.reset();
      toast("The password is changed; every other session has ended.");
    } catch (error) {
      fill(says, h("p", { class: "notice bad" }, error.message));
    }
  });
  return h("section", { class: "card" }, h("h2", {}, "Password"), form);
}

// --- lists of one's own things

const PASSKEYS = {
  path: "/me/passkeys",
  title: "Passkeys",
  text: "Sign in with this device or your password manager instead of a password.",
  none: "No passkeys yet.",
  columns: [["Name", (item) => item.name || "Passkey"], ["Added", (item) => time(item.created)], ["Last used", (item) => time(item.last_used) || "never"]],
  act: "Remove",
  sure: (item) => `Remove the passkey "${item.name || "Passkey"}"? It will no longer sign you in.`,
  add: ["Add a passkey", addPasskey],
};

const SESSIONS = {
  path: "/me/sessions",
  title: "Where you are signed in",
  text: "",
  none: "Nowhere: this page is used with an API key.",
  columns: [["Browser", (item) => [browser(item.client), item.current ? h("span", { class: "badge good" }, "this one") : null]], ["Address", (item) => item.ip], ["Last used", (item) => time(item.last_used)], ["Since", (item) => time(item.created)]],
  act: "Sign out",
  sure: (item) => (item.current ? "Sign out here?" : `Sign out ${browser(item.client)} at ${item.ip}?`),
};

const KEYS = {
  path: "/me/keys",
  title: "API keys",
  text: "For scripts and the command line. Whoever has a key can do what you can: give each machine its own.",
  none: "No keys.",
  columns: [["Key", (item) => h("code", {}, item.id)], ["Label", (item) => item.label ?? ""], ["Made", (item) => time(item.created)], ["Last used", (item) => time(item.last_used) || "never"]],
  act: "Revoke",
  sure: () => "Revoke this key? What uses it stops working at once.",
  add: ["Make a key", addKey],
};

function list(page, kind) {
  const body = h("div", { class: "wide" });
  const load = async () => {
    try {
      const { items } = await get(kind.path, { query: { limit: 500 }, signal: page.signal });
      fill(body, items.length ? table(page, kind, items, load) : h("p", { class: "muted" }, kind.none));
    } catch (error) {
      if (error.name !== "AbortError") fill(body, sorry(error, load));
    }
  };
  void load();
  const [label, act] = kind.add ?? [];
  return h(
    "section",
    { class: "card", "aria-label": kind.title },
    h("div", { class: "row apart" }, h("h2", {}, kind.title), label ? h("button", { class: "button small", type: "button", on: { click: () => act(load) } }, label) : null),
    kind.text ? h("p", { class: "muted" }, kind.text) : null,
    body,
  );
}

function table(page, kind, items, load) {
  const headings = kind.columns.map(([name]) => h("th", { scope: "col" }, name));
  const rows = items.map((item) => {
    const button = h("button", { class: "button small danger", type: "button", on: { click: () => drop(page, kind, item, load) } }, kind.act);
    return h("tr", {}, kind.columns.map(([name, cell]) => h("td", { "data-label": name }, cell(item))), h("td", { class: "number" }, button));
  });
  return h("table", { class: "table folds" }, h("thead", {}, h("tr", {}, headings, h("th", {}, h("span", { class: "unseen" }, "Actions")))), h("tbody", {}, rows));
}

async function drop(page, kind, item, load) {
  if (!(await ask({ title: kind.act, text: kind.sure(item), yes: kind.act, danger: true }))) return;
  try {
    await remove(`${kind.path}/${item.id}`);
    if (item.current) await page.go("/sign-in");
    else await load();
  } catch (error) {
    toast(error.message, "bad");
  }
}

const time = (iso) => (iso ? h("span", { title: exactly(iso) }, when(iso)) : "");

/** "Chrome on Windows" of a user agent; the agent itself where that is not to be seen. */
function browser(agent) {
  const name = /Firefox|Edg|OPR|Chrome|Safari/.exec(agent)?.[0];
  const system = /Windows|Android|iPhone|iPad|Mac OS X|Linux/.exec(agent)?.[0];
  if (!name) return agent || "unknown";
  const names = { Edg: "Edge", OPR: "Opera" };
  return [names[name] ?? name, system?.replace("Mac OS X", "macOS")].filter(Boolean).join(" on ");
}

async function addPasskey(load) {
  const name = await dialog("Add a passkey", (close) => {
    const label = field("Name", h("input", { maxlength: 100, autofocus: true }), { hint: "So that you know it again: the name of this computer, for example." });
    return h("form", { method: "dialog", on: { submit: () => close(label.input.value.trim() || "Passkey") } }, label.element, h("div", { class: "row" }, h("button", { class: "button primary", type: "submit" }, "Go on")));
  });
  if (!name) return;
  try {
    const { options, ticket } = await post("/me/passkeys/begin");
    await post("/me/passkeys", { ticket, name, credential: await attestation(options) });
    await load();
  } catch (error) {
    if (error.name !== "NotAllowedError") toast(error.message, "bad");
  }
}

async function addKey(load) {
  try {
    const made = await post("/me/keys");
    await load();
    await dialog("Your new key", (close) => [
      h("p", {}, "It is shown now, and never again. Keep it where other people cannot read it."),
      copied(made.api_key, "API key"),
      h("div", { class: "row" }, h("button", { class: "button primary", type: "button", on: { click: () => close() } }, icon("check"), "I have it")),
    ]);
  } catch (error) {
    toast(error.message, "bad");
  }
}
