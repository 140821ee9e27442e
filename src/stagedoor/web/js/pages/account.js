/** One's own account: password, passkeys, sessions, API keys. */
import { get, post, put, remove } from "../api.js";
import { form } from "../desk/form.js";
import { fill, h, icon } from "../dom.js";
import { attestation, passkeysWork } from "../passkeys.js";
import { session } from "../session.js";
import { copied } from "../ui/copied.js";
import { ask, dialog } from "../ui/dialog.js";
import { field } from "../ui/field.js";
import { newPassword, userName } from "../ui/password.js";
import { refused, words } from "../ui/refused.js";
import { sorry } from "../ui/sorry.js";
import { badge, time } from "../ui/status.js";
import { sending } from "../upload/transfers.js";
import { tableOf } from "../ui/table.js";
import { toast } from "../ui/toast.js";

export const title = "Your account";

export async function show(page) {
  const asked = { signal: page.signal };
  // Whether a new password needs the old one changes while time goes by.
  const [me, studio] = await Promise.all([get("/me", asked), get("/sign-in", asked)]);
  session.me = me;
  const element = h(
    "div",
    { class: "account" },
    h("h1", {}, "Your account"),
    h("dl", {}, h("dt", {}, "E-mail address"), h("dd", {}, me.code), me.name ? [h("dt", {}, "Name"), h("dd", {}, me.name)] : null, h("dt", {}, "Role"), h("dd", {}, me.role)),
    password(page, me),
    list(page, passkeysWork(studio) ? PASSKEYS : { ...PASSKEYS, text: NO_PASSKEYS, add: null }),
    list(page, SESSIONS),
    list(page, KEYS),
  );
  fill(page.main, element);
}

// --- password

function password(page, me) {
  const old = me.old_password ? field("Present password", h("input", { type: "password", autocomplete: "current-password", required: true })) : null;
  const fresh = newPassword("New password", me.code);
  const says = h("div", { role: "alert" });
  const button = h("button", { class: "button", type: "submit" }, me.has_password ? "Change the password" : "Set a password");
  const element = h("form", { class: "account-form" }, says, userName(me.code), old?.element, fresh.element, button);
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!fresh.check()) return;
    fill(says);
    button.disabled = true;
    try {
      await put("/me/password", { old: old?.input.value ?? null, password: fresh.input.value });
      toast("The password is set; every other session has ended.");
      await page.go("/account", { replace: true });
    } catch (error) {
      refused(says, error);
    } finally {
      button.disabled = false;
    }
  });
  return h("section", { class: "card" }, h("h2", {}, "Password"), element);
}

// --- lists of one's own things

const NO_PASSKEYS = "Passkeys cannot be made here: they need a browser that has them, https, and a server that is reached by a name instead of a number.";
const named = (item) => item.name || "Passkey";

const PASSKEYS = {
  path: "/me/passkeys",
  title: "Passkeys",
  text: "Sign in with this device or your password manager instead of a password.",
  none: "No passkeys yet.",
  columns: [
    { name: "Name", cell: named },
    { name: "Opens", cell: (item) => item.host },
    { name: "Added", cell: (item) => time(item.created) },
    { name: "Last used", cell: (item) => time(item.last_used) || "never" },
  ],
  act: "Remove",
  whose: named,
  sure: (item) => `Remove the passkey “${named(item)}”? It will no longer sign you in.`,
  add: ["Add a passkey", addPasskey],
};

const SESSIONS = {
  path: "/me/sessions",
  title: "Where you are signed in",
  text: "",
  none: "Nowhere: this page is used with an API key.",
  columns: [
    { name: "Browser", cell: (item) => [browser(item.client), " ", item.current ? badge("this one", "good") : null] },
    { name: "Address", cell: (item) => item.ip },
    { name: "Last used", cell: (item) => time(item.last_used) },
    { name: "Since", cell: (item) => time(item.created) },
  ],
  act: "Sign out",
  whose: (item) => `${browser(item.client)}${item.current ? ", this one" : ""}`,
  sure: (item) => (item.current ? `Sign out here?${sending() ? " The upload stops; what has arrived is kept." : ""}` : `Sign out ${browser(item.client)} at ${item.ip}?`),
};

const KEYS = {
  path: "/me/keys",
  title: "API keys",
  text: "For scripts and the command line. Whoever has a key can do what you can: give each machine its own.",
  none: "No keys.",
  shown: (item) => !item.revoked,
  columns: [
    { name: "Label", cell: (item) => item.label || "no label" },
    { name: "Key", cell: (item) => h("code", {}, item.id) },
    { name: "Made", cell: (item) => time(item.created) },
    { name: "Ends", cell: (item) => (over(item) ? badge("ended", "warn") : time(item.expires) || "never") },
  ],
  act: "Revoke",
  whose: (item) => item.label || item.id,
  sure: (item) => `Revoke the key “${item.label || item.id}”? What uses it stops working at once.`,
  add: ["Make a key", addKey],
};

const over = (key) => Boolean(key.expires) && new Date(key.expires) < new Date();

const idOf = ({ path }) => path.slice(1).replace("/", "-");

function list(page, kind) {
  const body = h("div", {});
  const load = async () => {
    try {
      const { items } = await get(kind.path, { query: { limit: 500 }, signal: page.signal });
      const shown = items.filter(kind.shown ?? (() => true));
      fill(body, shown.length ? tableOf(kind.title, [...kind.columns, dropping(page, kind, load)], shown) : h("p", { class: "muted" }, kind.none));
    } catch (error) {
      if (error.name !== "AbortError") fill(body, sorry(error, load));
    }
  };
  void load();
  const [label, act] = kind.add ?? [];
  return h(
    "section",
    { class: "card" },
    h("div", { class: "row apart" }, h("h2", { id: idOf(kind), tabindex: "-1" }, kind.title), label ? h("button", { class: "button small", type: "button", on: { click: () => act(load) } }, label) : null),
    kind.text ? h("p", { class: "muted" }, kind.text) : null,
    body,
  );
}

function dropping(page, kind, load) {
  const click = (item) => ({ click: () => drop(page, kind, item, load) });
  const button = (item) => h("button", { class: "button small danger", type: "button", "aria-label": `${kind.act} ${kind.whose(item)}`, on: click(item) }, kind.act);
  return { name: "Actions", quiet: true, class: "number", cell: button };
}

async function drop(page, kind, item, load) {
  if (!(await ask({ title: kind.act, text: kind.sure(item), yes: kind.act, danger: true }))) return;
  try {
    await remove(`${kind.path}/${item.id}`);
    if (!item.current) {
      await load();
      return document.getElementById(idOf(kind))?.focus(); // The button is gone with its line.
    }
    session.me = null;
    return page.go("/sign-in");
  } catch (error) {
    return toast(words(error), "bad");
  }
}

/** "Chrome on Windows" of a user agent; the agent itself where that is not to be seen. */
function browser(agent) {
  const name = /Firefox|Edg|OPR|Chrome|Safari/.exec(agent)?.[0];
  const system = /Windows|Android|iPhone|iPad|Mac OS X|Linux/.exec(agent)?.[0];
  if (!name) return agent || "unknown";
  const names = { Edg: "Edge", OPR: "Opera" };
  return [names[name] ?? name, system?.replace("Mac OS X", "macOS")].filter(Boolean).join(" on ");
}

async function addPasskey(load) {
  const wish = { name: "name", label: "Name", input: h("input", { maxlength: 100 }), hint: "So that you know it again: the name of this computer, for example.", optional: true };
  await form(
    "Add a passkey",
    [wish],
    async ({ name }) => {
      const { options, ticket } = await post("/me/passkeys/begin");
      await post("/me/passkeys", { ticket, name: name || "Passkey", credential: await attestation(options) });
      await load();
    },
    "Go on",
  );
}

async function addKey(load) {
  const wishes = [
    { name: "label", label: "Label", input: h("input", { maxlength: 100 }), hint: "Where it will be used, so that you know which one to revoke." },
    { name: "days", label: "Ends after how many days", input: h("input", { type: "number", min: 1, max: 36500 }), hint: "Left empty: never.", optional: true },
  ];
  const made = await form("Make a key", wishes, ({ label, days }) => post("/me/keys", { label, days: days ? Number(days) : null }), "Make the key");
  if (!made) return;
  await load();
  await dialog("Your new key", (close) => [
    h("p", {}, "It is shown now, and never again. Keep it where other people cannot read it."),
    copied(made.api_key, "API key"),
    h("div", { class: "row" }, h("button", { class: "button primary", type: "button", on: { click: () => close() } }, icon("check"), "I have it")),
  ]);
}
