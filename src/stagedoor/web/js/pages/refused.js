/** Refused offers, and why: what vendors stumble over. */
import { get } from "../api.js";
import { asked, daysAgo, keep } from "../desk/address.js";
import { listing } from "../desk/listing.js";
import { breakable, fill, h } from "../dom.js";
import { findings } from "../ui/findings.js";
import { sorry } from "../ui/sorry.js";
import { time } from "../ui/status.js";
import { tableOf } from "../ui/table.js";
import { counted, number } from "../words.js";

export const title = "Refused";

/** Of those who stumble. */
const SHOWN = 10;
const PERIODS = [["", "The last 7 days", 7], ["1", "The last day", 1], ["30", "The last 30 days", 30], ["all", "All that is kept", 0]];

export async function show(page) {
  const sums = h("div", { class: "sums" });
  const since = () => {
    const days = PERIODS.find(([id]) => id === (asked().days ?? ""))?.[2] ?? 7;
    return days ? daysAgo(Number(days)) : undefined;
  };
  const list = listing(page, {
    path: "/log",
    caption: "Refusals, the newest first",
    counted: ["refusal", "refusals"],
    columns: COLUMNS,
    plain: ["entity_hr", "user_hr", "message"],
    examples: ["user_hr = *@vendor.example", "code = destination_taken", "message contains frame", "entity_hr = *.mov"],
    folded: alike,
    fixed: () => ({ refusals: true, since: since() }),
    empty: (narrowed) => (narrowed ? "No refusal is like that." : "Nothing was refused in this time."),
  });
  const narrow = (where) => {
    keep({ where, skip: 0 });
    list.ask();
  };
  const reload = async () => {
    await Promise.all([list.reload(), summary(page, sums, since(), narrow)]);
  };
  fill(page.main, h("div", { class: "row apart" }, h("h1", {}, "Refused"), period(reload)), sums, h("h2", {}, "One by one"), list.element);
  await reload();
}

function period(reload) {
  const choice = h("select", { class: "choice", "aria-label": "Since when" }, PERIODS.map(([id, name]) => h("option", { value: id, selected: id === (asked().days ?? "") }, name)));
  choice.addEventListener("change", () => {
    keep({ days: choice.value, skip: 0 });
    void reload();
  });
  return choice;
}

/** By reason, and by vendor. */
async function summary(page, place, since, narrow) {
  try {
    const { items } = await get("/log/stumbles", { query: { since }, signal: page.signal });
    fill(place, items.length ? [reasons(items), people(items, narrow)] : null);
  } catch (error) {
    if (error.name !== "AbortError") fill(place, sorry(error));
  }
}

function reasons(items) {
  const columns = [
    { name: "Entries", class: "number", cell: (one) => [number(one.count), one.times > one.count ? h("p", { class: "small muted", title: "What is checked again and still wrong is one entry" }, counted(one.times, "refusal")) : null] },
    { name: "Reason", class: "any", cell: reason },
    { name: "Users", class: "number", cell: (one) => number(one.users) },
    { name: "Last", class: "nowrap", cell: (one) => time(one.last) },
  ];
  return h("section", { "aria-labelledby": "reasons" }, h("h2", { id: "reasons" }, "Why"), tableOf("Reasons, the most frequent first", columns, items, (one) => one.reason));
}

/** A code, and what may stand behind it. */
const CODE = /^([a-z][a-z0-9_-]*)(?:: (.+))?$/s;

/** What is said to people; the sentence of the last one stands for a code. */
function words({ reason, example }) {
  const [, code, rest] = CODE.exec(reason) ?? [];
  return rest || (code && example) || reason;
}

function reason(one) {
  const [, code] = CODE.exec(one.reason) ?? [];
  const said = words(one);
  const more = one.example && one.example !== said ? h("p", { class: "small muted" }, one.example) : null;
  return [h("strong", {}, said), more, code && code !== said ? h("p", {}, h("code", { class: "small muted" }, code)) : null];
}

/** What was refused again, after another check, for the same: one row. */
function alike(lines) {
  /** @type {Map<string, any>} */
  const found = new Map();
  for (const line of lines) {
    const key = JSON.stringify([line.user_hr, line.entity, line.entity_hr, line.code, line.message, line.reasons]);
    const before = found.get(key);
    if (before) before.times += 1;
    else found.set(key, { ...line, times: 1 });
  }
  return [...found.values()];
}

function people(items, narrow) {
  const by = new Map();
  for (const one of items) for (const who of one.user_hrs) by.set(who, [...(by.get(who) ?? []), words(one)]);
  const found = [...by].map(([who, why]) => ({ who, why })).sort((one, other) => other.why.length - one.why.length);
  const columns = [
    { name: "Who", class: "person", cell: ({ who }) => h("button", { class: "button small quiet any", type: "button", title: "Their refusals", on: { click: () => narrow(`user_hr = '${who.replaceAll("'", "''")}'`) } }, h("span", {}, breakable(who))) },
    { name: "Reasons", class: "any", cell: ({ why }) => [counted(why.length, "reason"), h("p", { class: "small muted" }, why.slice(0, 3).join(" · "))] },
  ];
  return h("section", { "aria-labelledby": "stumbling" }, h("h2", { id: "stumbling" }, "Who stumbles"), tableOf("Who was refused", columns, found.slice(0, SHOWN), ({ who }) => who), found.length > SHOWN ? h("p", { class: "muted" }, `And ${number(found.length - SHOWN)} more.`) : null);
}

const COLUMNS = [
  { name: "When", class: "nowrap", cell: (line) => [time(line.created), line.times > 1 ? h("p", { class: "small muted" }, `${number(line.times)} times`) : null] },
  { name: "Who", class: "person", cell: (line) => breakable(line.user_hr) },
  { name: "What", class: "any", cell: (line) => (line.entity_hr ? breakable(line.entity_hr) : null) || (line.entity === "job" ? "a submit" : "a whole offer") },
  { name: "Why", class: "any what", cell: why },
  { name: "Run", cell: (line) => (line.details.run ? h("a", { href: `/runs/${line.details.run}`, "aria-label": `The run that refused ${line.entity_hr}` }, "Run") : null) },
];

function why(line) {
  const faults = Array.isArray(line.details.faults) ? line.details.faults : [];
  return [
    h("p", {}, line.message || line.reasons.join(", ")),
    line.code ? h("code", { class: "small" }, line.code) : null,
    findings(line.details.findings),
    faults.length ? h("ul", { class: "job-findings small" }, faults.slice(0, 5).map((fault) => h("li", {}, [fault.path || fault.filename, fault.field, fault.reason].filter(Boolean).join(": ")))) : null,
    line.details.detail ? h("p", { class: "small muted" }, line.details.detail) : null,
  ];
}
