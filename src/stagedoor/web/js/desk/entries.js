/** The entries of a job: verdict, answers, findings, files; for the studio also where they go, and letting them wait. */
import { get, patch } from "../api.js";
import { fill, h } from "../dom.js";
import { findings } from "../ui/findings.js";
import { later } from "../ui/later.js";
import { badge, taskBadge } from "../ui/status.js";
import { tree } from "../ui/tree.js";
import { bytes, counted, exactly, hours } from "../words.js";
import { doing } from "./act.js";

const SETTABLE = ["pending", "executing", "queued"];

/** @param {import("../router.js").Page} page @param {any} job @param {(job: any) => void} show */
export function entries(page, job, show) {
  const inside = page.me.role !== "standard";
  const items = job.tasks.map((task) => entry(page, job, task, show, inside));
  return h("section", { "aria-labelledby": "entries" }, h("h2", { id: "entries" }, counted(job.tasks.length, "entry", "entries")), h("ol", { class: "job-entries" }, items));
}

function entry(page, job, task, show, inside) {
  const head = h("div", { class: "row" }, h("strong", { class: "any grow" }, `${task.filename}${task.is_dir ? "/" : ""}`), task.can_publish ? null : badge("Upload only", "warn"), taskBadge(task, job, inside));
  const size = h("p", { class: "small muted entry-size" }, sizes(task, job));
  const files = task.is_dir
    ? later("Files", async () => held(await get(`/jobs/${job.id}/tasks/${task.id}/files`, { signal: page.signal })), { class: "small", id: `files-${task.id}` })
    : null;
  return h("li", { class: "card job-entry", data: { task: task.id } }, head, size, said(task), answers(task.answers), inside ? places(task) : null, files, inside && job.phase !== "ended" ? acts(job, task, show) : null);
}

/** @param {{files?: any[]}} entry */
const held = ({ files = [] }) => (files.length ? tree(files) : h("p", { class: "muted" }, "An empty folder."));

/** What changes while bytes come, written into what is there. @param {HTMLElement} place @param {any} job */
export function refresh(place, job) {
  for (const task of job.tasks) {
    const said = place.querySelector(`[data-task="${task.id}"] .entry-size`);
    if (said) fill(said, sizes(task, job));
  }
}

const sizes = (task, job) => [bytes(task.size), task.is_dir ? `, ${counted(task.files, "file")}` : "", job.phase === "upload" && task.status !== "excluded" ? `, ${task.progress} % has arrived` : ""];

/** What the studio's hook said, and what went wrong. */
function said(task) {
  return [
    task.ident ? h("p", {}, "Known at the studio as ", h("strong", {}, task.ident)) : null,
    task.warning ? h("p", { class: "notice warn" }, task.warning) : null,
    task.info ? h("p", { class: "muted" }, task.info) : null,
    task.error ? h("p", { class: "notice bad" }, task.error) : null,
    findings(task.findings),
  ];
}

function answers(given) {
  const told = [
    given.comment ? ["Comment", given.comment] : null,
    given.time_report ? ["Time", hours(given.time_report)] : null,
    given.status ? ["Status", given.status] : null,
    given.task ? ["Task", given.task] : null,
    ...Object.entries(given.metadata ?? {}),
  ].filter(Boolean);
  return told.length ? facts(told) : null;
}

/** For the studio: where it comes from, where it goes. */
function places(task) {
  return facts(
    [
      task.path_abs_final ? ["Place", h("code", {}, task.path_abs_final)] : null,
      task.on_exists === "replace" ? ["Replaces", "what is there"] : null,
      task.kept ? ["What was there", [h("code", {}, task.kept), ` until ${exactly(task.kept_until)}`]] : null,
      ["From", h("code", {}, task.source)],
    ].filter(Boolean),
  );
}

/** Pairs of a name and what is said about it. @param {any[]} pairs of two */
export const facts = (pairs) => h("dl", { class: "facts" }, pairs.map(([name, value]) => [h("dt", {}, name), h("dd", { class: "any" }, value)]));

function acts(job, task, show) {
  const kept = ["onhold", "excluded"].includes(task.status);
  if (!kept && !SETTABLE.includes(task.status)) return null;
  const set = (status) => async () => show(await patch(`/jobs/${job.id}/tasks/${task.id}`, { status }));
  const button = (name, status, more = {}) => doing(name, set(status), { id: `${status}-${task.id}`, label: `${name}: ${task.filename}`, ...more });
  return h(
    "div",
    { class: "row" },
    kept ? button("Release", "queued", { title: "It goes on as the others do" }) : button("Hold", "onhold", { title: "The job does not go on without it" }),
    task.status === "excluded" || job.tasks.length < 2 ? null : button("Leave out", "excluded", { title: "The job goes on without it", sure: { title: "Leave this entry out?", text: `The job goes on without ${task.filename}. It is neither uploaded nor placed, and not in the receipt.`, yes: "Leave it out" } }),
  );
}
