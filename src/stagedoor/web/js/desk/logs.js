/** Lines of the audit log. */
import { h } from "../dom.js";
import { time } from "../ui/status.js";

/** @type {import("../ui/table.js").Column[]} */
export const LOG_COLUMNS = [
  { name: "When", class: "nowrap", cell: (line) => time(line.created) },
  { name: "Who", class: "person", cell: (line) => line.user_hr },
  { name: "Did", cell: (line) => [line.verb, " ", line.entity] },
  { name: "To", class: "any", cell: thing },
  { name: "What", class: "any what", cell: (line) => [line.message ? h("p", {}, line.message) : null, changes(line), line.code ? h("code", { class: "small" }, line.code) : null] },
];

/** @param {any} line */
export function thing(line) {
  const name = line.entity_hr || line.entity_id;
  const job = line.entity === "job" ? line.entity_id : line.details?.job;
  return job ? h("a", { href: `/jobs/${job}` }, name || job) : name;
}

/** @param {any} line */
export function changes(line) {
  const told = Object.entries(line.changes).filter(([name]) => name !== "state" || line.entity !== "job");
  if (!told.length) return null;
  return h("ul", { class: "plain small" }, told.slice(0, 8).map(([name, [before, after]]) => h("li", {}, h("span", { class: "muted" }, `${name}: `), before === null || before === "" ? "" : [h("del", {}, said(before)), " "], after === null || after === "" ? "" : h("ins", {}, said(after)))));
}

const said = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
