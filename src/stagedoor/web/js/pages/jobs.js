/** Jobs: what is under way, what has failed, what came. */
import { breakable, fill, h } from "../dom.js";
import { asked, today } from "../desk/address.js";
import { listing } from "../desk/listing.js";
import { live, ofState, soon, whenSilent } from "../ui/live.js";
import { cause, jobBadge, person, progress, time } from "../ui/status.js";
import { bytes, counted } from "../words.js";

export const title = "Jobs";

export async function show(page) {
  const inside = page.me.role !== "standard";
  /** @type {Map<string, any>} */
  const shown = new Map();
  const list = listing(page, {
    path: "/jobs",
    caption: "Jobs, the newest first",
    counted: ["job", "jobs"],
    columns: columns(inside),
    examples: inside ? STUDIO : VENDOR,
    filters: filters(page.me, inside),
    plain: ["name"],
    empty: (narrowed) => (narrowed ? [h("p", {}, "No job is like that."), elsewhere(inside)] : nothing(inside)),
    then: (items) => {
      shown.clear();
      for (const job of items) shown.set(job.id, job);
      silent(items.some(({ speed }) => speed > 0));
    },
  });
  const again = soon(list.reload, page.signal);
  const silent = whenSilent(again, page.signal);
  const others = ofState(again);
  const { sign, begun } = live(page.signal, { again, job: (news) => told(news, shown, list, others) });
  fill(page.main, h("div", { class: "row apart" }, h("h1", {}, inside ? "Jobs" : "Your jobs"), sign), list.element);
  await begun;
  await list.reload();
}

/** Progress is written into its row; a job in another state, or a new one, may change what belongs into the list. */
function told(news, shown, list, others) {
  const before = shown.get(news.id);
  if (!before || before.status !== news.status || before.phase !== news.phase) return others(news);
  const job = { ...before, ...news };
  shown.set(news.id, job);
  return list.change(job);
}

const STUDIO = ["sh0010", "status = failed", "user = *@vendor.example and size > 10000000000", "name = sq010_* and created >= 2026-03-01", "queue = high and status != done", "error contains space"];
const VENDOR = ["sh0010", "name = sq010_*", "status = failed", "created >= 2026-03-01", "filename = *.exr"];

function filters(me, inside) {
  const all = [
    { id: "open", name: "Under way", query: () => ({}) },
    { id: "running", name: "Running", query: () => ({ state: "running" }) },
    { id: "failed", name: inside ? "Failed: waits for you" : "Failed", query: () => ({ state: "failed" }) },
    { id: "paused", name: "Paused", query: () => ({ state: "paused" }) },
    { id: "today", name: "Today", query: () => ({ since: today(), finished: true }) },
    { id: "all", name: "All", query: () => ({ finished: true }) },
  ];
  if (inside) all.splice(5, 0, { id: "mine", name: "Mine", query: () => ({ user: me.id, finished: true }) });
  return all;
}

function columns(inside) {
  const all = [
    { name: "State", cell: (job) => jobBadge(job, inside) },
    { name: "Job", class: "job-name", cell: name },
    inside ? { name: "User", class: "person", cell: (job) => breakable(person(job)) } : null,
    { name: "Entries", class: "number minor", cell: (job) => job.entries },
    { name: "Size", class: "number", cell: (job) => bytes(job.size) },
    { name: "Arrived", class: "arrived", cell: progress },
    { name: "When", class: "nowrap", cell: (job) => time(job.created) },
    inside ? { name: "Queue", class: "minor", cell: (job) => job.queue_hr } : null,
  ];
  return all.filter(Boolean);
}

function name(job) {
  const link = h("a", { id: `job-${job.id}`, href: `/jobs/${job.id}`, title: counted(job.files, "file") }, breakable(job.name));
  const others = job.entries > 1 ? h("span", { class: "muted" }, ` and ${job.entries - 1} more`) : null;
  const why = cause(job) || job.waits_for;
  return [link, others, why ? h("p", { class: "small muted" }, why) : null];
}

/** What is looked for may have ended, or be another's: the same words, in all jobs. */
function elsewhere(inside) {
  const { where = "", show = "" } = asked();
  if (show === "all") return null;
  const query = new URLSearchParams({ show: "all", ...(where ? { where } : {}) });
  return h("p", {}, h("a", { class: "button", href: `/jobs?${query}` }, inside ? "Look in all jobs" : "Look in all your jobs"));
}

function nothing(inside) {
  if (inside) return [h("p", {}, "Nothing is under way."), h("p", {}, h("a", { href: "/today" }, "What came today"), " or ", h("a", { href: "/jobs?show=all" }, "all jobs"), ".")];
  return [h("p", {}, "Nothing is under way."), h("p", {}, h("a", { href: "/publish" }, "Publish something"), " or look at ", h("a", { href: "/jobs?show=all" }, "all your jobs"), ".")];
}
