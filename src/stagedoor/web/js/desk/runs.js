/** Runs of hooks: as lines of a table, and what one of them read, wrote and said. */
import { get } from "../api.js";
import { breakable, h } from "../dom.js";
import { later } from "../ui/later.js";
import { runBadge, time } from "../ui/status.js";
import { lasting, number } from "../words.js";

/** Bytes of a text that are shown at first. */
const MOST = 64_000;

/** @type {import("../ui/table.js").Column[]} */
const FIRST = [
  { name: "Outcome", cell: (run) => runBadge(run.state) },
  { name: "Hook", class: "nowrap", cell: (run) => h("a", { id: `run-${run.id}`, href: `/runs/${run.id}` }, run.hook, run.replay ? " (again, by hand)" : "") },
];
/** @type {import("../ui/table.js").Column[]} */
const LAST = [
  { name: "Exit", class: "number", cell: (run) => run.exit_code },
  { name: "Attempt", class: "number", cell: (run) => run.attempt },
  { name: "Took", class: "number", cell: (run) => took(run) },
  { name: "When", class: "nowrap", cell: (run) => time(run.started) },
];

/** Runs of all kinds: few have failed, so that why has no column of its own. */
export const RUN_COLUMNS = [...FIRST, { name: "About", class: "any", cell: (run) => [about(run), run.error ? h("p", { class: "small" }, run.error) : null] }, { name: "User", class: "person", cell: (run) => breakable(run.user_hr) }, ...LAST];

/** Runs of one job. */
export const JOB_RUN_COLUMNS = [...FIRST, { name: "Why", class: "any", cell: (run) => run.error }, ...LAST];

/** How many entries there are beside the first. @param {any} run */
export const beside = ({ entries }) => (entries > 1 ? ` and ${number(entries - 1)} more` : "");

/** Of a job its name, before there is one its first entry; and how many there are beside. @param {any} run */
function about(run) {
  if (!run.about) return null;
  const name = breakable(run.about);
  const more = beside(run) ? h("span", { class: "muted" }, beside(run)) : null;
  return [run.job ? h("a", { id: `job-of-${run.id}`, href: `/jobs/${run.job}` }, name) : name, more];
}

/** The same in one line. @param {any} run */
export const named = (run) => [run.about, beside(run), run.user_hr ? `${run.about ? ", " : ""}${run.user_hr}` : ""].join("");

/** @param {any} run */
export const took = (run) => (run.seconds === null ? "" : run.seconds < 10 ? `${run.seconds.toFixed(1)} s` : lasting(run.seconds));

const NAMES = { input: "Input", output: "Answer", stdout: "stdout", stderr: "stderr" };

/**
 * What a run read, wrote and said, each when it is wanted, and the beginning of what is long.
 *
 * @param {import("../router.js").Page} page @param {string} id @param {string[]} [which] @param {string} [open]
 */
export function texts(page, id, which = Object.keys(NAMES), open = "") {
  let asking;
  const asked = () => (asking ??= get(`/runs/${id}`, { query: { most: MOST }, signal: page.signal }).catch((error) => {
    asking = undefined;
    throw error;
  }));
  return which.map((name) => later(NAMES[name], async () => text(await asked(), id, name), { id: `${name}-${id}`, class: "text", open: name === open }));
}

function text(detail, id, name) {
  const found = detail[name];
  if (found === null) return h("p", { class: "small muted" }, "What a program says is shown to administrators.");
  if (!found) return h("p", { class: "small muted" }, name === "input" ? "Not kept any more." : "Nothing.");
  const shown = name === "input" || name === "output" ? pretty(found, detail.cut.includes(name)) : found;
  return [
    h("pre", { tabindex: "0", "aria-label": NAMES[name] }, visible(shown)),
    detail.cut.includes(name) ? h("p", { class: "small muted" }, `These are the first ${number(MOST)} bytes. `, h("a", { href: `/api/v1/runs/${id}`, download: `run-${id}.json` }, "Save the whole run")) : null,
  ];
}

/** JSON is easier to read in lines; what is no JSON, or cut, stays as it is. */
function pretty(found, cut) {
  if (cut) return found;
  try {
    return JSON.stringify(JSON.parse(found), null, 2);
  } catch {
    return found;
  }
}

/** Control characters are shown, not obeyed; so are those that turn the direction of text. */
const visible = (found) => found.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (letter) => (letter === "\r" ? "" : `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`));
