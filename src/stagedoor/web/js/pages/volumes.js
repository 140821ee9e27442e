/** Volumes: where publishes go, how much room there is, what may be done there. */
import { get, patch, post, remove } from "../api.js";
import { fill, h, redraw } from "../dom.js";
import { attempt, doing } from "../desk/act.js";
import { facts } from "../desk/entries.js";
import { form } from "../desk/form.js";
import { still } from "../ui/bar.js";
import { badge, onOff } from "../ui/status.js";
import { bytes } from "../words.js";

export const title = "Volumes";

export async function show(page) {
  const admin = page.me.role === "admin";
  const place = h("div", { class: "things" });
  const load = async () => {
    const { items } = await get("/volumes", { signal: page.signal });
    redraw(place, items.length ? items.map((volume) => card(volume, load, admin)) : h("p", { class: "notice warn" }, "There is no volume: publishes have nowhere to go."));
  };
  const button = admin ? h("button", { class: "button", id: "add-volume", type: "button", on: { click: () => add(load) } }, "Add a volume") : null;
  fill(page.main, h("div", { class: "row apart" }, h("h1", {}, "Volumes"), button), place);
  await load();
}

function card(volume, load, admin) {
  const on = volume.status === "enabled";
  return h(
    "section",
    { class: "card", "aria-label": volume.code },
    h("div", { class: "row apart" }, h("h2", { class: "any" }, volume.code), h("span", { class: "row" }, volume.default ? badge("Default", "good") : null, onOff(on))),
    room(volume),
    facts([["Folder", h("code", {}, volume.path)], volume.aliases.length ? ["Also called", volume.aliases.map((alias) => h("div", {}, h("code", {}, alias)))] : null, ["Can", can(volume.capabilities)]].filter(Boolean)),
    admin ? acts(volume, load, on) : null,
  );
}

function room({ free, size }) {
  if (free === null || !size) return h("p", { class: "notice bad" }, "The folder is not there: is its disk mounted?");
  const used = 1 - free / size;
  const words = `${bytes(free)} free of ${bytes(size)}`;
  return h("div", { class: "room" }, h("p", {}, words), still(used, `${Math.round(used * 100)} % used`, used > 0.95 ? "bad" : ""));
}

const WORDS = { safe: "place safely", exchange: "replace in one step", reflink: "copy without taking room", case_sensitive: "tell upper and lower case apart", hard_links: "use hard links" };

function can(found) {
  const told = Object.entries(WORDS).filter(([name]) => name in found);
  const list = h("ul", { class: "plain" }, told.map(([name, words]) => h("li", { class: found[name] ? "" : "muted" }, found[name] ? "✓ " : "✗ ", words, found[name] ? "" : ": no")));
  return [told.length ? list : "not looked at yet", found.reason ? h("p", { class: "bad" }, found.reason) : null];
}

function acts(volume, load, on) {
  const set = (wanted) => async () => (await patch(`/volumes/${volume.id}`, wanted), load());
  const gone = async () => (await remove(`/volumes/${volume.id}`), load());
  const id = (name) => `${name}-${volume.id}`;
  return h(
    "div",
    { class: "row" },
    volume.default ? null : doing("Make it the default", set({ default: true }), { id: id("default") }),
    doing(on ? "Disable" : "Enable", set({ status: on ? "disabled" : "enabled" }), { id: id("turn"), sure: on ? { title: `Disable ${volume.code}?`, text: "No new entry can go there until it is enabled again.", yes: "Disable it" } : undefined }),
    h("button", { class: "button small", id: id("aliases"), type: "button", on: { click: () => aliases(volume, load) } }, "Change the aliases"),
    volume.default ? null : doing("Forget", gone, { id: id("forget"), class: "danger", sure: { title: `Forget ${volume.code}?`, text: "Its files stay where they are; hooks can send nothing there any more.", yes: "Forget it" } }),
  );
}

const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);
const LINES = "Prefixes by which hooks and users know it, one in a line: /Volumes/projects, P:\\projects.";

async function aliases(volume, load) {
  const input = h("textarea", { class: "mono", rows: 3, value: volume.aliases.join("\n") });
  const save = (values) => patch(`/volumes/${volume.id}`, { aliases: lines(values.aliases) });
  if (await form(`Aliases of ${volume.code}`, [{ name: "aliases", label: "Aliases", input, hint: LINES, optional: true }], save)) await attempt(load);
}

async function add(load) {
  const wishes = [
    { name: "code", label: "Code", hint: "Short; hooks write volume=<code>/…" },
    { name: "path", label: "Folder", hint: "Absolute, on the server; it must exist." },
    { name: "aliases", label: "Aliases", input: h("textarea", { class: "mono", rows: 2 }), hint: LINES, optional: true },
    { name: "default", label: "Default volume", input: h("input", { type: "checkbox" }) },
  ];
  if (await form("Add a volume", wishes, (values) => post("/volumes", { ...values, aliases: lines(values.aliases) }), "Add")) await attempt(load);
}
