/** People: who may sign in, as what; invitations, keys and sessions. */
import { get, patch, post, remove } from "../api.js";
import { breakable, fill, h, redraw } from "../dom.js";
import { attempt, doing } from "../desk/act.js";
import { choice, form } from "../desk/form.js";
import { listing } from "../desk/listing.js";
import { copied } from "../ui/copied.js";
import { ask, dialog } from "../ui/dialog.js";
import { later } from "../ui/later.js";
import { badge, capital, onOff, time } from "../ui/status.js";
import { tableOf } from "../ui/table.js";
import { number } from "../words.js";

export const title = "People";

const ROLES = { standard: "Standard: publishes, sees their own", employee: "Employee: sees and looks after all jobs", admin: "Admin: may do everything" };

export async function show(page) {
  const admin = page.me.role === "admin";
  const invited = h("div", {});
  const list = listing(page, {
    path: "/users",
    caption: "Users, the newest first",
    counted: ["user", "users"],
    columns: [
      { name: "User", class: "person", cell: (user) => [breakable(user.code), user.name ? h("p", { class: "small muted" }, user.name) : null] },
      { name: "Role", cell: (user) => capital(user.role) },
      { name: "Status", cell: (user) => onOff(user.status === "enabled") },
      { name: "Since", class: "nowrap", cell: (user) => time(user.created) },
      { name: "Actions", quiet: true, class: "number", cell: (user) => actions(page, user, list.reload) },
    ],
    plain: ["code", "name"],
    examples: ["code = *@vendor.example", "role != standard", "status = disabled", "name contains jöns"],
    empty: () => "No user is like that.",
  });
  const pending = () => invitations(page, invited);
  const button = h("button", { class: "button primary", id: "invite", type: "button", on: { click: () => invite(admin, pending) } }, "Invite somebody");
  fill(page.main, h("div", { class: "row apart" }, h("h1", {}, "People"), button), invited, list.element);
  await Promise.all([list.reload(), pending()]);
}

const manages = (me, user) => me.role === "admin" || (me.role === "employee" && user.role === "standard");

// --- invitations

async function invite(admin, load) {
  const roles = Object.entries(ROLES).filter(([role]) => admin || role === "standard");
  const made = await form(
    "Invite somebody",
    [
      { name: "email", label: "E-mail address", input: h("input", { type: "email", autocomplete: "off" }) },
      { name: "role", label: "Role", input: choice(roles, "standard"), hint: "Who is a user already keeps theirs, and sets a new password." },
    ],
    (values) => post("/invitations", values),
    "Invite",
  );
  if (!made) return;
  await dialog(`Invitation for ${made.email}`, (close) => [
    h("p", {}, made.mailed ? "It is on its way by mail. You can hand it over yourself as well:" : "Send this link to them: it is shown this once, and works for 7 days."),
    copied(made.url, "Invitation"),
    h("div", { class: "row" }, h("button", { class: "button primary", type: "button", autofocus: true, on: { click: () => close() } }, "Done")),
  ]);
  await attempt(load);
}

async function invitations(page, place) {
  const { items: pending, total } = await get("/invitations", { query: { where: "state = pending", limit: 200 }, signal: page.signal });
  const revoke = (one) => doing("Revoke", async () => (await remove(`/invitations/${one.id}`), invitations(page, place)), { class: "danger", label: `Revoke the invitation of ${one.email}`, sure: { title: "Revoke this invitation?", text: `The link that ${one.email} has got does not work any more.`, yes: "Revoke it" } });
  const columns = [
    { name: "Invited", class: "person", cell: (one) => breakable(one.email) },
    { name: "Role", cell: (one) => capital(one.role) },
    { name: "By", class: "person", cell: (one) => breakable(one.by) },
    { name: "Until", class: "nowrap", cell: (one) => time(one.expires) },
    { name: "Actions", quiet: true, class: "number", cell: revoke },
  ];
  redraw(place, pending.length ? h("section", { "aria-labelledby": "pending" }, h("h2", { id: "pending" }, "Invited, not here yet"), tableOf("Pending invitations", columns, pending), total > pending.length ? h("p", { class: "muted" }, `And ${number(total - pending.length)} more, which are older.`) : null, h("h2", {}, "Users")) : null);
}

// --- one user

function actions(page, user, reload) {
  if (!manages(page.me, user) || user.id === page.me.id) return user.id === page.me.id ? h("a", { class: "button small", href: "/account" }, "Your account") : null;
  return h("button", { class: "button small", type: "button", id: `user-${user.id}`, "aria-label": `Manage ${user.code}`, on: { click: () => manage(page, user, reload) } }, "Manage");
}

/** Role, status, keys and sessions of a user. */
async function manage(page, user, reload) {
  const place = h("div", { class: "stack" });
  const draw = (found) => fill(place, status(found, change), page.me.role === "admin" ? role(found, change) : null, keys(found), sessions(found));
  const change = async (wanted) => {
    draw(await patch(`/users/${user.id}`, wanted));
    await reload();
  };
  draw(user);
  await dialog(user.code, (close) => [place, h("div", { class: "row" }, h("button", { class: "button", type: "button", autofocus: true, on: { click: () => close() } }, "Close"))]);
}

function status(user, change) {
  const on = user.status === "enabled";
  const sure = on ? { title: `Disable ${user.code}?`, text: "They are signed out everywhere and their keys stop working, until they are enabled again. Their jobs stay.", yes: "Disable them" } : undefined;
  return h("div", { class: "row apart" }, onOff(on), doing(on ? "Disable" : "Enable", () => change({ status: on ? "disabled" : "enabled" }), { id: "turn", class: on ? "danger" : "", sure }));
}

function role(user, change) {
  const select = choice(Object.entries(ROLES), user.role);
  select.setAttribute("aria-label", "Role");
  select.addEventListener("change", async () => {
    const yes = await ask({ title: "Change the role?", text: `${user.code} becomes ${select.value}: ${ROLES[select.value].split(": ")[1]}.`, yes: "Change it" });
    if (!yes || !(await attempt(() => change({ role: select.value })))) select.value = user.role;
  });
  return select;
}

function keys(user) {
  const load = async () => {
    const { items } = await get(`/users/${user.id}/keys`);
    const place = h("div", { class: "stack" });
    const again = async () => fill(place, await load());
    const revoke = (key) => (key.revoked ? badge("Revoked") : doing("Revoke", async () => (await remove(`/users/${user.id}/keys/${key.id}`), again()), { class: "danger", label: `Revoke the key ${key.label || key.id}`, sure: { title: "Revoke this key?", text: "What uses it stops working at once.", yes: "Revoke it" } }));
    const columns = [{ name: "Key", cell: (key) => key.label || h("code", {}, key.id) }, { name: "Made", cell: (key) => time(key.created) }, { name: "Expires", cell: (key) => time(key.expires) || "never" }, { name: "Actions", quiet: true, class: "number", cell: revoke }];
    const make = doing("Make a key", async () => {
      const made = await post(`/users/${user.id}/keys`, { label: "made at the desk" });
      await again();
      place.prepend(h("div", {}, h("p", {}, "Shown this once:"), copied(made.api_key, "API key")));
    }, { id: "make-key" });
    fill(place, items.length ? tableOf(`Keys of ${user.code}`, columns, items) : h("p", { class: "muted" }, "No keys."), make);
    return place;
  };
  return later("API keys", load, { id: "keys" });
}

function sessions(user) {
  const load = async () => {
    const { items } = await get(`/users/${user.id}/sessions`);
    const place = h("div", {});
    const end = (one) => doing("Sign out", async () => (await remove(`/users/${user.id}/sessions/${one.id}`), fill(place, await load())), { label: `Sign out at ${one.ip}` });
    const columns = [{ name: "Address", cell: (one) => one.ip }, { name: "Last used", cell: (one) => time(one.last_used) }, { name: "Browser", class: "any small", cell: (one) => one.client.slice(0, 120) }, { name: "Actions", quiet: true, class: "number", cell: end }];
    return fill(place, items.length ? tableOf(`Where ${user.code} is signed in`, columns, items) : h("p", { class: "muted" }, "Nowhere."));
  };
  return later("Where they are signed in", load, { id: "sessions" });
}
