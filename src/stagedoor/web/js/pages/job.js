/** A job: how it stands, what happens next, its entries; for the studio also the runs of its hooks and what was done. */
import { get, patch, post, Refusal } from "../api.js";
import { breakable, fill, h, icon, redraw } from "../dom.js";
import { attempt, doing } from "../desk/act.js";
import { choice, form } from "../desk/form.js";
import { entries, facts, refresh } from "../desk/entries.js";
import { LOG_COLUMNS } from "../desk/logs.js";
import { metadata } from "../desk/metadata.js";
import { whatNext } from "../desk/next.js";
import { JOB_RUN_COLUMNS, texts } from "../desk/runs.js";
import { later } from "../ui/later.js";
import { live, soon, whenSilent } from "../ui/live.js";
import { receipts } from "../ui/receipts.js";
import { sorry } from "../ui/sorry.js";
import { jobBadge, person, progress, time, trouble } from "../ui/status.js";
import { tableOf } from "../ui/table.js";
import { toast } from "../ui/toast.js";
import { bytes, counted, exactly } from "../words.js";

export const title = "Job";

export async function show(page) {
  const { id } = page.params;
  const inside = page.me.role !== "standard";
  const parts = { head: h("div", {}), entries: h("div", {}), more: h("div", {}) };
  /** @type {any} */
  let job = null;
  /** @type {Map<string, string> | undefined} */
  let labels;
  const draw = (found) => {
    const before = job;
    job = found;
    page.name(job.name);
    redraw(parts.head, head(page, job, draw, sign));
    if (shape(before) !== shape(job)) redraw(parts.entries, entries(page, labelled(job, labels), draw));
    else refresh(parts.entries, job);
    silent(job.speed > 0);
    if (rest(before) !== rest(job)) more(page, job, draw, parts.more, inside);
  };
  const load = async () => {
    const found = await get(`/jobs/${id}`, { signal: page.signal });
    labels ??= await labelsOf(found, page.signal);
    draw(found);
  };
  const again = soon(load, page.signal, 1000);
  const silent = whenSilent(again, page.signal);
  const { sign, begun } = live(page.signal, {
    again,
    job: (news) => {
      if (news.id !== id) return;
      if (job && news.status === job.status && news.phase === job.phase) draw({ ...job, ...news });
      again();
    },
  });
  await begun;
  try {
    await load();
    fill(page.main, parts.head, parts.entries, parts.more);
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 404) throw error;
    fill(page.main, h("h1", {}, "There is no such job"), h("p", {}, "It may be somebody else's, or its address is cut short. ", h("a", { href: "/jobs" }, "To the jobs"), "."));
  }
}

/** What the form calls the statuses that were chosen from; nothing where it is not kept any more. */
async function labelsOf({ offer, tasks }, signal) {
  if (!offer || !tasks.some(({ answers }) => answers.status)) return new Map();
  const { statuses = [] } = await get(`/offers/${offer}`, { signal }).catch(() => ({}));
  return new Map(statuses.map(({ value, label }) => [value, label]));
}

/** A job that names statuses as the vendor chose them. @param {any} job @param {Map<string, string>} [labels] */
function labelled(job, labels) {
  if (!labels?.size) return job;
  const tasks = job.tasks.map((task) => ({ ...task, answers: { ...task.answers, status: labels.get(task.answers.status) ?? task.answers.status } }));
  return { ...job, tasks };
}

/** What must differ before the entries, and what is below them, are drawn anew: what somebody has opened stays open. */
const shape = (job) => JSON.stringify(job && [job.phase, job.tasks.map((task) => ({ ...task, received: 0, progress: 0 }))]);
const rest = (job) => JSON.stringify(job && [job.status, job.phase, job.attempts, job.metadata, job.tasks.map(({ status }) => status)]);

function head(page, job, draw, sign) {
  const inside = page.me.role !== "standard";
  const own = job.user === page.me.id;
  return [
    h("p", { class: "small" }, h("a", { id: "to-jobs", href: "/jobs" }, "Jobs")),
    h("div", { class: "row apart" }, h("h1", { class: "any" }, breakable(job.name)), h("div", { class: "row" }, jobBadge(job, inside), sign)),
    job.phase === "upload" || job.status === "running" ? progress(job) : null,
    problem(job, inside),
    h("p", { id: "next", tabindex: "-1" }, whatNext(job, inside, own)),
    own && job.phase === "upload" && job.status !== "paused" ? h("p", {}, h("a", { class: "button primary", id: "continue", href: `/publish?job=${job.id}` }, icon("upload"), "Continue on the publish page")) : null,
    h("div", { class: "row acts" }, acts(page, job, draw, inside)),
    about(job, inside),
  ];
}

/** What went wrong last; no more of it once that is tried again. */
function problem(job, inside) {
  if (!job.error || ["running", "done"].includes(job.status)) return null;
  const kind = job.status === "failed" ? "bad" : "warn";
  return h(
    "div",
    { class: `notice ${kind}` },
    inside && job.detail ? h("p", { class: "any" }, job.detail) : null,
    h("p", { class: inside && job.detail ? "small" : "" }, trouble(job)),
    job.status === "failed" && job.reference ? h("p", { class: "small" }, "Reference ", inside ? h("a", { id: "failed-run", href: `/runs/${job.reference}` }, h("code", {}, job.reference)) : h("code", {}, job.reference)) : null,
  );
}

function acts(page, job, draw, inside) {
  const to = (verb) => async () => draw(await post(`/jobs/${job.id}/${verb}`));
  const buttons = [];
  if (job.status === "failed") buttons.push(doing("Retry", to("retry"), { class: inside ? "primary" : "", id: "retry" }));
  if (job.status === "paused" && (inside || job.error_code === "paused_by_owner") && job.error_code !== "on_hold") buttons.push(doing("Resume", to("resume"), { class: "primary", id: "resume" }));
  if (["waiting", "running"].includes(job.status)) buttons.push(doing("Pause", to("pause"), { id: "pause" }));
  if (job.phase !== "ended") {
    buttons.push(doing(inside ? "Abort" : "Cancel this publish", to("abort"), { class: "danger", id: "abort", sure: sure(job, inside) }));
    if (inside) buttons.push(h("button", { class: "button small", type: "button", id: "move", on: { click: () => void move(page, job, draw) } }, "Move to another queue"));
  }
  return buttons;
}

function sure(job, inside) {
  const text = `${job.name} ends here. What has been placed stays; to send the rest it must be published again.`;
  return inside ? { title: "Abort this job?", text, yes: "Abort it" } : { title: "Cancel this publish?", text, yes: "Cancel the publish", no: "Keep it" };
}

/** Into another queue; which there are is asked when somebody wants to choose. */
async function move(page, job, draw) {
  await attempt(async () => {
    const { items } = await get("/queues", { signal: page.signal });
    const others = items.filter(({ id }) => id !== job.queue).map(({ id, code, priority }) => [id, `${code} (priority ${priority})`]);
    if (!others.length) return toast("There is no other queue.");
    const save = ({ queue }) => patch(`/jobs/${job.id}`, { queue });
    const moved = await form("Move to another queue", [{ name: "queue", label: "Queue", input: choice(others), hint: `It is in ${job.queue_hr} now.` }], save, "Move it");
    if (moved) draw(moved);
    return undefined;
  });
}

function about(job, inside) {
  return facts(
    [
      inside ? ["User", breakable(person(job))] : null,
      inside ? ["Queue", job.queue_hr] : null,
      ["Size", `${bytes(job.size)}, ${counted(job.files, "file")}`],
      ["Submitted", [time(job.created), job.hostname ? ` from ${job.hostname}` : ""]],
      job.finished ? ["Ended", time(job.finished)] : null,
      inside && job.attempts > 1 ? ["Ingest", `${job.attempts} attempts`] : null,
      job.notes.length ? ["Notes", h("ul", { class: "plain" }, job.notes.slice(-20).map((note) => h("li", {}, note)))] : null,
      ["Id", h("code", {}, job.id)],
    ].filter(Boolean),
  );
}

function more(page, job, draw, place, inside) {
  const change = inside ? async (wanted) => draw(await patch(`/jobs/${job.id}`, { metadata: wanted })) : null;
  redraw(place, receipt(job), metadata(job.metadata, inside, change), inside ? [runs(page, job), log(page, job)] : null);
}

function receipt(job) {
  if (!(job.phase === "ingest" || job.status === "done")) return null;
  return h(
    "section",
    { "aria-labelledby": "receipt" },
    h("h2", { id: "receipt" }, "Receipt"),
    h("p", { class: "muted" }, "Every file with its size and hashes, proved byte by byte."),
    h("div", { class: "row" }, receipts(job)),
  );
}

/** The runs of the job's hooks; of the newest that failed what it said stands open. */
function runs(page, job) {
  const place = h("div", {}, h("p", { class: "muted small" }, " "));
  void get("/runs", { query: { job: job.id, limit: 50 }, signal: page.signal }).then(
    ({ items }) => {
      const bad = page.me.role === "admin" && job.status === "failed" ? items.find((run) => run.state !== "succeeded" && run.state !== "running") : null;
      place.replaceChildren(...(items.length ? [tableOf("Runs of the job's hooks", JOB_RUN_COLUMNS, items), ...(bad ? [h("div", { class: "said" }, h("h3", {}, `What ${bad.hook} said`), texts(page, bad.id, ["stderr", "stdout"], "stderr"))] : [])] : [h("p", { class: "muted" }, "No hook has run for it yet.")]));
    },
    (error) => error.name === "AbortError" || place.replaceChildren(sorry(error)),
  );
  return h("section", { "aria-labelledby": "runs" }, h("h2", { id: "runs" }, "Hooks"), place);
}

function log(page, job) {
  const load = async () => {
    const { items, total } = await get("/log", { query: { entity: `job:${job.id}`, limit: 100 }, signal: page.signal });
    return [tableOf("What was done to the job", LOG_COLUMNS, items), total > items.length ? h("a", { href: `/log?where=${encodeURIComponent(`entity_id = ${job.id}`)}` }, `All ${total} lines`) : null];
  };
  return h("section", { "aria-labelledby": "done" }, h("h2", { id: "done" }, "What was done"), later(`Lines of the audit log until ${exactly(job.modified)}`, load, { id: "job-log" }));
}
