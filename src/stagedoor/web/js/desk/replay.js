/** Today's pre-publish script on what earlier runs had read: what would change. Nothing is recorded or reserved. */
import { post } from "../api.js";
import { breakable, fill, h } from "../dom.js";
import { findings } from "../ui/findings.js";
import { sorry } from "../ui/sorry.js";
import { time, verdictBadge } from "../ui/status.js";
import { tableOf } from "../ui/table.js";
import { counted, exactly, number } from "../words.js";

const PART = 100;
/** So many runs that differ are shown one by one. */
const SHOWN = 50;
/** Of each of them. */
const ENTRIES_SHOWN = 10;

const STATES = {
  same: "It would say the same.",
  changed: "It would say something else.",
  fails_now: "It fails now, and did not then.",
  failed_before: "It failed then, and would not now.",
  fails_still: "It failed then, and fails now.",
  gone: "What the run had read is not kept any more.",
};

/** @param {any} replay of one run */
export function difference(replay) {
  const differ = replay.entries.filter(differs);
  const kind = { same: "good", gone: "warn", failed_before: "good" }[replay.state] ?? "warn";
  return [
    h("p", { class: `notice ${replay.state === "fails_now" ? "bad" : kind}`, role: "status" }, STATES[replay.state] ?? replay.state, replay.verdicts ? ` ${verdicts(replay)}` : ""),
    replay.error ? h("p", { class: "any" }, "Now: ", replay.error) : null,
    replay.error_before ? h("p", { class: "any" }, "Then: ", replay.error_before) : null,
    differ.length ? tableOf("Entries that differ", ENTRIES, differ) : null,
    Object.keys(replay.form).length ? [h("h3", {}, "What is asked of the vendor"), h("ul", {}, Object.entries(replay.form).map(([name, pair]) => h("li", {}, change(name, pair))))] : null,
  ];
}

const differs = (entry) => Object.keys(entry.changes).length > 0;

/** "12 of 840 verdicts change.", "1 of 840 verdicts changes." @param {any} found */
export function verdicts({ verdicts: all, changed, reworded }) {
  const words = `${number(changed)} of ${counted(all, "verdict")} ${changed === 1 || all === 1 ? "changes" : "change"}`;
  return `${words}${reworded ? `; ${number(reworded)} more in path or words` : ""}.`;
}

const ENTRIES = [
  { name: "Entry", class: "any", cell: (entry) => entry.filename },
  { name: "Then", cell: (entry) => verdictBadge(entry.before) },
  { name: "Now", cell: (entry) => verdictBadge(entry.now) },
  { name: "What differs", class: "any", cell: (entry) => h("ul", { class: "plain small" }, Object.entries(entry.changes).filter(([name]) => name !== "verdict").map(([name, pair]) => h("li", {}, change(name, pair)))) },
];

/** What is called otherwise here than in the answer. @type {Record<string, string>} */
const CALLED = { comment_label: "comment label", time_report: "time report", further: "keys of its own" };
const called = (name) => CALLED[name] ?? name;

function change(name, [before, now]) {
  return [h("span", { class: "muted" }, `${called(name)}: `), said(before) ? [h("del", {}, said(before)), " "] : "", said(now) ? h("ins", {}, said(now)) : h("em", { class: "muted" }, "nothing")];
}

function said(value) {
  if (value === null || value === undefined || value === "") return "";
  if (Array.isArray(value) && value.length && value.every((one) => one?.title || one?.code)) return findings(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/**
 * Replays of a period, part by part, with the sum so far; it can be stopped.
 *
 * @param {HTMLElement} place @param {string | undefined} since @param {AbortSignal} signal
 */
export async function several(place, since, signal) {
  const sums = { total: 0, runs: 0, verdicts: 0, changed: 0, reworded: 0 };
  const differ = [];
  const stopped = new AbortController();
  const stop = h("button", { class: "button small", type: "button", on: { click: () => stopped.abort() } }, "Stop");
  const says = h("p", { role: "status" }, "Replaying…");
  const rows = h("div", {});
  fill(place, h("div", { class: "row" }, says, stop), rows);
  try {
    for (let skip = 0; skip !== null; ) {
      const found = await post("/replays", { since, limit: PART, skip }, { signal: AbortSignal.any([signal, stopped.signal]) });
      sums.total = found.total;
      for (const name of ["runs", "verdicts", "changed", "reworded"]) sums[name] += found[name];
      differ.push(...found.items);
      fill(says, sums.verdicts ? h("strong", {}, verdicts(sums)) : null, ` ${number(sums.runs)} of ${counted(sums.total, "run")} replayed.`);
      fill(rows, differ.length ? tableOf("Runs that differ", RUNS, differ.slice(0, SHOWN), (one) => one.run) : null, differ.length > SHOWN ? h("p", { class: "muted small" }, `The first ${SHOWN} of ${differ.length} that differ.`) : null);
      skip = found.next;
    }
  } catch (error) {
    if (error.name !== "AbortError") return void fill(place, sorry(error, () => void several(place, since, signal)));
  }
  stop.remove();
  return undefined;
}

/** What a line that is not set would say. @param {any} trial */
export function tried({ replays, sample, warnings }) {
  return [warnings.map((warning) => h("p", { class: "notice warn" }, warning)), sample ? made(sample, replays.total) : offered(replays)];
}

/** Of what vendors had offered. */
function offered(found) {
  const failed = found.items.filter(({ state }) => state === "fails_now" || state === "fails_still");
  const said = found.items.filter((one) => !failed.includes(one) && one.state !== "gone");
  const all = counted(found.runs - (found.states.gone ?? 0), "offer");
  return [
    failed.length ? h("p", { class: "notice bad" }, `It fails on ${number(failed.length)} of ${all}: ${failed[0].error}`) : null,
    found.verdicts ? h("p", { class: `notice ${said.length ? "warn" : "good"}` }, h("strong", {}, verdicts(found)), ` Tried on ${all}.`) : null,
    said.length ? h("ul", { class: "plain small" }, said.slice(0, ENTRIES_SHOWN).map((one) => h("li", {}, h("a", { href: `/runs/${one.run}`, target: "_blank" }, exactly(one.started)), ` ${one.user}`, one.state === "changed" ? changed(one) : h("p", {}, STATES[one.state])))) : null,
    said.length > ENTRIES_SHOWN ? h("p", { class: "small muted" }, `and ${counted(said.length - ENTRIES_SHOWN, "more offer")}`) : null,
  ];
}

/** Of a small offer that is made up. */
function made({ error, entries }, runs) {
  const why = runs ? "What vendors had offered is not kept any more" : "Nothing has been offered yet";
  return [
    h("p", {}, `${why}; so it was given a folder of five frames and a movie, which are made up.`),
    error ? h("p", { class: "notice bad" }, "It could not say: ", error) : null,
    entries.length ? h("ul", { class: "plain" }, entries.map((one) => h("li", {}, one.filename, " ", verdictBadge(one.verdict), one.path ? h("p", { class: "small muted" }, "to ", h("code", {}, one.path)) : null, one.warning ? h("p", { class: "small" }, one.warning) : null, findings(one.findings)))) : null,
  ];
}

const RUNS = [
  { name: "Offered", class: "nowrap", cell: (one) => h("a", { href: `/runs/${one.run}`, title: exactly(one.started) }, time(one.started)) },
  { name: "User", class: "person", cell: (one) => breakable(one.user) },
  { name: "Outcome", class: "any", cell: (one) => [STATES[one.state], one.error ? h("p", { class: "small" }, one.error) : null] },
  { name: "Entries", class: "any", cell: changed },
];

/** What would be said otherwise: of each entry, and of what the vendor is asked. */
function changed({ entries, form }) {
  const differ = entries.filter(differs);
  const asked = Object.keys(form);
  return h(
    "ul",
    { class: "plain" },
    differ.slice(0, ENTRIES_SHOWN).map((entry) => h("li", {}, entry.filename, " ", verdictBadge(entry.before), entry.before === entry.now ? ` another ${named(Object.keys(entry.changes))}` : [" → ", verdictBadge(entry.now)])),
    differ.length > ENTRIES_SHOWN ? h("li", { class: "muted" }, `and ${number(differ.length - ENTRIES_SHOWN)} more`) : null,
    asked.length ? h("li", {}, `asks the vendor otherwise: ${named(asked)}`) : null,
  );
}

/** @param {string[]} names */
const named = (names) => names.map(called).join(", ");
