/** The audit log: who did what to which thing, from where. */
import { get } from "../api.js";
import { asked } from "../desk/address.js";
import { doing } from "../desk/act.js";
import { csv, save } from "../desk/csv.js";
import { listing } from "../desk/listing.js";
import { LOG_COLUMNS } from "../desk/logs.js";
import { meant } from "../desk/plain.js";
import { fill, h } from "../dom.js";
import { later } from "../ui/later.js";
import { number } from "../words.js";

export const title = "Log";

const PAGE = 500;
const MOST = 20_000;
const CSV = ["id", "created", "user_hr", "role", "door", "ip", "client", "request", "verb", "entity", "entity_id", "entity_hr", "code", "message", "reasons", "changes", "details"];

/** Where plain words are looked for. */
const PLAIN = ["entity_hr", "user_hr", "message"];

const FILTERS = [
  { id: "", name: "All", query: () => ({}) },
  { id: "jobs", name: "Jobs", query: () => ({ entity: "job" }) },
  { id: "refused", name: "Refusals", query: () => ({ refusals: true }) },
  { id: "users", name: "Users", query: () => ({ entity: "user" }), admin: true },
  { id: "hooks", name: "Hooks", query: () => ({ entity: "hook" }), admin: true },
  { id: "settings", name: "Settings", query: () => ({ entity: "setting" }), admin: true },
];

export async function show(page) {
  const admin = page.me.role === "admin";
  const filters = FILTERS.filter((one) => admin || !one.admin);
  const list = listing(page, {
    path: "/log",
    caption: "Lines of the audit log, the newest first",
    counted: ["line", "lines"],
    columns: [...LOG_COLUMNS, { name: "More", quiet: true, class: "small", cell: more }],
    plain: PLAIN,
    examples: ["verb in abort, retry", "user = *@vendor.example", "entity = job and created >= 2026-03-01", "message contains space", "door = home"],
    filters,
    empty: (narrowed) => (narrowed ? "No line is like that." : "Nothing has been done yet."),
  });
  const button = doing("Save as CSV", () => all(page, filters), { id: "csv", title: `What is listed, ${number(MOST)} lines at the most` });
  const note = admin ? null : h("p", { class: "muted" }, "Lines about offers, entries and jobs; what is done to users, hooks and settings is for administrators.");
  fill(page.main, h("div", { class: "row apart" }, h("h1", {}, "Log"), button), note, list.element);
  await list.reload();
}

/** From where, and the rest of a line. */
function more(line) {
  const rest = { door: line.door, ip: line.ip, client: line.client, role: line.role, request: line.request, id: line.entity_id, ...line.details };
  const text = JSON.stringify(Object.fromEntries(Object.entries(rest).filter(([, value]) => value)), null, 2);
  return later("Details", async () => h("pre", { tabindex: "0", "aria-label": "Details" }, text), {});
}

async function all(page, filters) {
  const { where: typed = "", show: chosen = "" } = asked();
  const { where } = meant(typed, PLAIN);
  const filter = filters.find(({ id }) => id === chosen)?.query();
  const lines = new Map();
  for (let skip = 0; skip < MOST; skip += PAGE) {
    const { items } = await get("/log", { query: { ...filter, where, skip, limit: PAGE }, signal: page.signal });
    for (const line of items) lines.set(line.id, line);
    if (items.length < PAGE) break;
  }
  save(csv(CSV, [...lines.values()]), `stagedoor-log-${new Date().toISOString().slice(0, 10)}.csv`);
}
