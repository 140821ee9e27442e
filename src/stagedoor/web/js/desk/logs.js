/** Lines of the audit log. */
import { breakable, h } from "../dom.js";
import { time } from "../ui/status.js";
import { exactly } from "../words.js";

/** Of what is changed, milliseconds since 1970. */
const TIMES = new Set(["expires", "created", "modified", "finished", "due"]);

/** @type {import("../ui/table.js").Column[]} */
export const LOG_COLUMNS = [
  { name: "When", class: "nowrap", cell: (line) => time(line.created) },
  { name: "Who", class: "person", cell: (line) => breakable(line.user_hr) },
  { name: "Did", cell: (line) => [line.verb, " ", line.entity] },
  { name: "To", class: "any", cell: thing },
  { name: "What", class: "any what", cell: (line) => [line.message ? h("p", {}, line.message) : null, changes(line), line.code ? h("code", { class: "small" }, line.code) : null] },
];

/** @param {any} line */
export function thing(line) {
  const name = line.entity_hr || line.entity_id;
  const job = line.entity === "job" ? line.entity_id : line.details?.job;
  return job ? h("a", { href: `/jobs/${job}` }, breakable(name || job)) : breakable(name ?? "");
}

/** @param {any} line */
export function changes(line) {
  const told = Object.entries(line.changes).filter(([name]) => name !== "state" || line.entity !== "job");
  if (!told.length) return null;
  return h("ul", { class: "plain small" }, told.slice(0, 8).map(([name, [before, after]]) => h("li", {}, h("span", { class: "muted" }, `${name}: `), before === null || before === "" ? "" : [h("del", {}, said(name, before)), " "], after === null || after === "" ? "" : h("ins", {}, said(name, after)))));
}

/** @param {string} name @param {any} value */
function said(name, value) {
  if (typeof value === "number" && TIMES.has(name)) return exactly(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
