/** Settings: what counts, where it is set, why it is there. */
import { get, put, remove } from "../api.js";
import { fill, h } from "../dom.js";
import { asked, keep } from "../desk/address.js";
import { attempt, doing } from "../desk/act.js";
import { choice, form } from "../desk/form.js";
import { badge } from "../ui/status.js";
import { table } from "../ui/table.js";
import { number } from "../words.js";

export const title = "Settings";

export async function show(page) {
  const admin = page.me.role === "admin";
  const list = table("Settings", columns(() => attempt(load), admin), (setting) => setting.name);
  const load = async () => {
    const { items } = await get("/settings", { query: level(), signal: page.signal });
    list.show(items.map((setting) => ({ ...setting, here: isHere(setting) })));
  };
  const [queues, volumes] = await Promise.all([get("/queues", { signal: page.signal }), get("/volumes", { signal: page.signal })]);
  const places = [["", "The studio"], ...queues.items.map(({ code }) => [`queue:${code}`, `The queue ${code}`]), ...volumes.items.map(({ code }) => [`volume:${code}`, `The volume ${code}`])];
  const of = choice(places, asked().of ?? "");
  of.className = "choice";
  of.setAttribute("aria-label", "Settings of");
  of.addEventListener("change", () => {
    keep({ of: of.value });
    void attempt(load);
  });
  fill(page.main, h("div", { class: "row apart" }, h("h1", {}, "Settings"), of), h("p", { class: "muted" }, "The nearest counts: the studio's, then those of a volume, or of a queue and of a job."), list.element);
  await load();
}

/** Whose settings are shown. @returns {Record<string, string>} */
function level() {
  const [kind, ...name] = (asked().of ?? "").split(":");
  return kind ? { [kind]: name.join(":") } : {};
}

const isHere = (setting) => (Object.keys(level())[0] ?? "workspace") === setting.level;

function columns(load, admin) {
  const all = [
    { name: "Setting", class: "setting", cell: (setting) => [h("code", {}, setting.name), h("p", { class: "small muted" }, setting.reason)] },
    { name: "Value", class: "any", cell: (setting) => h("strong", {}, value(setting.value)) },
    { name: "From", cell: from },
    { name: "Default", class: "any minor", cell: (setting) => h("span", { class: "muted" }, value(setting.default)) },
    admin ? { name: "Actions", quiet: true, class: "number", cell: (setting) => acts(setting, load) } : null,
  ];
  return all.filter(Boolean);
}

const value = (found) => (typeof found === "boolean" ? (found ? "on" : "off") : typeof found === "number" ? number(found) : found || "empty");

function from(setting) {
  if (setting.level === "default") return h("span", { class: "muted" }, "default");
  return badge(setting.set_on ? `${setting.level} ${setting.set_on}` : "studio", setting.here ? "good" : "");
}

function acts(setting, load) {
  const { name } = setting;
  const change = h("button", { class: "button small", type: "button", id: `change-${name}`, "aria-label": `Change ${name}`, on: { click: () => edit(setting, load) } }, "Change");
  const unset = setting.here ? doing("Unset", async () => (await remove(`/settings/${name}`, { query: level() }), load()), { id: `unset-${name}`, label: `Unset ${name}`, title: "What is set above counts again, or the default" }) : null;
  return h("div", { class: "row end" }, unset, change);
}

/** An input for a value of this kind, and how it is read. */
function input(setting) {
  if (typeof setting.default === "boolean") return { element: choice([["on", "on"], ["off", "off"]], setting.value ? "on" : "off"), read: (text) => text === "on" };
  if (typeof setting.default === "number") return { element: h("input", { type: "number", min: setting.least, step: 1, value: setting.value }), read: Number };
  if (setting.choices.length) return { element: choice(setting.choices.map((one) => [one, one]), setting.value), read: String };
  return { element: h("input", { value: setting.value }), read: String };
}

async function edit(setting, load) {
  const { element, read } = input(setting);
  const optional = typeof setting.default === "string" && !setting.choices.length;
  const save = ({ value: text }) => put(`/settings/${setting.name}`, { value: read(text) }, { query: level() });
  const where = asked().of ? ` on ${asked().of.replace(":", " ")}` : "";
  if (await form(`${setting.name}${where}`, [{ name: "value", label: "Value", input: element, hint: setting.reason, optional }], save)) await load();
}
