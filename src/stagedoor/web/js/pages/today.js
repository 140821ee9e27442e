/** Today: who published what, and what hangs. */
import { get } from "../api.js";
import { today } from "../desk/address.js";
import { breakable, fill, h, redraw } from "../dom.js";
import { live, ofState, soon } from "../ui/live.js";
import { sorry } from "../ui/sorry.js";
import { badge, cause, jobBadge, pace, person, time } from "../ui/status.js";
import { tableOf } from "../ui/table.js";
import { bytes, counted, lasting, number } from "../words.js";

export const title = "Today";

const PAGE = 500;
/** So many jobs of a day are added up; whoever has more looks at the list. */
const MOST = 5000;
/** Of each kind of what hangs, and of the users. */
const SHOWN = 20;
/** Of each user. */
const NAMED = 3;
const STILL_MS = 15 * 60_000;
const SOON_MS = 2 * 86_400_000;

export async function show(page) {
  const parts = { came: h("div", {}), hangs: h("div", {}) };
  const load = async () => {
    try {
      const [came, ...hanging] = await Promise.all([every(page, { since: today(), finished: true }), ...HANGS.map(({ where }) => ask(page, { where: where(), limit: SHOWN }))]);
      redraw(parts.hangs, hangs(hanging));
      redraw(parts.came, published(came));
    } catch (error) {
      if (error.name !== "AbortError") redraw(parts.came, sorry(error, load));
    }
  };
  const again = soon(load, page.signal, 10_000);
  const { sign, begun } = live(page.signal, { again, job: ofState(again) });
  fill(page.main, h("div", { class: "row apart" }, h("h1", {}, "Today"), sign), parts.hangs, parts.came);
  await begun;
  await load();
}

const ask = (page, query) => get("/jobs", { query: { limit: PAGE, ...query }, signal: page.signal });

async function every(page, query) {
  const found = [];
  for (let skip = 0; skip < MOST; skip += PAGE) {
    const { items, total } = await ask(page, { ...query, skip });
    found.push(...items);
    if (found.length >= total || !items.length) return { jobs: found, total };
    if (skip + PAGE >= MOST) return { jobs: found, total };
  }
  return { jobs: found, total: found.length };
}

// --- who published what

function published({ jobs, total }) {
  const heading = h("h2", { id: "came" }, "Who published what");
  if (!jobs.length) return h("section", { "aria-labelledby": "came" }, heading, h("p", { class: "empty" }, "Nothing has come today. ", h("a", { href: "/jobs?show=all" }, "All jobs")));
  const people = Object.values(grouped(jobs)).map(summed);
  people.sort((one, other) => other.size - one.size);
  const all = summed(jobs);
  return h(
    "section",
    { "aria-labelledby": "came" },
    heading,
    h("p", { class: "muted" }, `${counted(all.jobs, "job")} of ${counted(people.length, "user")}: ${counted(all.files, "file")}, ${bytes(all.size)}.`, total > jobs.length ? ` These are the newest ${number(jobs.length)} of ${number(total)}.` : ""),
    tableOf("Who published what today", PEOPLE, people.slice(0, SHOWN)),
    people.length > SHOWN ? h("p", { class: "muted" }, `And ${counted(people.length - SHOWN, "more user", "more users")}: see `, h("a", { href: "/jobs?show=today" }, "all jobs of today"), ".") : null,
  );
}

function grouped(jobs) {
  const found = {};
  for (const job of jobs) (found[job.user] ??= []).push(job);
  return found;
}

const sum = (jobs, name) => jobs.reduce((total, job) => total + job[name], 0);

/** @param {any[]} jobs */
function summed(jobs) {
  return {
    id: jobs[0].user,
    who: person(jobs[0]),
    newest: jobs.slice(0, NAMED),
    jobs: jobs.length,
    done: jobs.filter(({ status }) => status === "done").length,
    failed: jobs.filter(({ status }) => status === "failed").length,
    aborted: jobs.filter(({ status }) => status === "aborted").length,
    entries: sum(jobs, "entries"),
    files: sum(jobs, "files"),
    size: sum(jobs, "size"),
    last: jobs[0].created,
  };
}

const PEOPLE = [
  { name: "User", class: "person", cell: (one) => h("a", { id: `of-${one.id}`, href: ofToday(one) }, breakable(one.who)) },
  { name: "What", class: "any", cell: what },
  { name: "Jobs", class: "number", cell: (one) => number(one.jobs) },
  { name: "States", cell: states },
  { name: "Entries", class: "number", cell: (one) => number(one.entries) },
  { name: "Files", class: "number", cell: (one) => number(one.files) },
  { name: "Size", class: "number", cell: (one) => bytes(one.size) },
  { name: "Last", class: "nowrap", cell: (one) => time(one.last) },
];

const ofToday = ({ id }) => `/jobs?show=today&where=${encodeURIComponent(`user = user:${id}`)}`;

/** The newest jobs by name, and how many there are beside. */
function what(one) {
  const named = one.newest.map((job) => h("li", {}, h("a", { id: `came-${job.id}`, href: `/jobs/${job.id}` }, breakable(job.name)), job.entries > 1 ? h("span", { class: "muted" }, ` (${counted(job.entries, "entry", "entries")})`) : null));
  const others = one.jobs - named.length;
  return h("ul", { class: "plain" }, named, others ? h("li", {}, h("a", { id: `more-${one.id}`, href: ofToday(one) }, `${number(others)} more`)) : null);
}

function states({ jobs, done, failed, aborted }) {
  const open = jobs - done - failed - aborted;
  return h("span", { class: "row" }, done ? badge(`${done} done`, "good") : null, open ? badge(`${open} under way`, "busy") : null, failed ? badge(`${failed} failed`, "bad") : null, aborted ? badge(`${aborted} aborted`) : null);
}

// --- what hangs

const STILL = "status in waiting, running and phase = upload";
const HANGS = [
  { where: () => "status = failed and retry_at = ''", why: (job) => cause(job), more: ["that failed", "/jobs?show=failed"] },
  { where: () => "status = paused", why: (job) => cause(job) || "Paused.", more: ["paused", "/jobs?show=paused"] },
  { where: () => `${STILL} and modified < ${new Date(Date.now() - STILL_MS).toISOString()}`, why: stillness, more: ["to which nothing comes", `/jobs?where=${encodeURIComponent(STILL)}`] },
];

/** @param {{items: any[], total: number}[]} found as `HANGS` asks */
function hangs(found) {
  const told = found.flatMap(({ items }, index) => items.filter(({ speed }) => !(speed > 0)).map((job) => ({ ...job, why: HANGS[index].why(job) })));
  const heading = h("h2", { id: "hangs" }, "What hangs");
  if (!told.length) return h("section", { "aria-labelledby": "hangs" }, heading, h("p", { class: "notice good" }, "Nothing: no job waits for a person, and every upload moves."));
  const more = found.map(({ total, items }, index) => further(total - items.length, ...HANGS[index].more));
  return h("section", { "aria-labelledby": "hangs" }, heading, tableOf("Jobs that hang", HANGING, told), more);
}

function further(many, which, address) {
  return many > 0 ? h("p", { class: "muted" }, "And ", h("a", { href: address }, `${number(many)} more ${which}`), ".") : null;
}

function stillness(job) {
  const now = Date.now();
  const since = lasting((now - Date.parse(job.modified)) / 1000);
  const left = job.staging_expires ? Date.parse(job.staging_expires) - now : Infinity;
  const ends = left < SOON_MS ? ` What has arrived is cleared in ${lasting(Math.max(0, left) / 1000)}.` : "";
  return `No byte for ${since} (${pace(job)} has arrived).${job.error ? ` ${job.error}` : ""}${ends}`;
}

const HANGING = [
  { name: "State", cell: jobBadge },
  { name: "Job", class: "job-name", cell: (job) => h("a", { id: `hangs-${job.id}`, href: `/jobs/${job.id}` }, breakable(job.name)) },
  { name: "User", class: "person", cell: (job) => breakable(person(job)) },
  { name: "Why", class: "any", cell: (job) => job.why },
  { name: "Size", class: "number", cell: (job) => bytes(job.size) },
  { name: "Since", class: "nowrap", cell: (job) => time(job.modified) },
];
