/** States in words and colours: the same everywhere. */
import { h } from "../dom.js";
import { exactly, lasting, speed, when } from "../words.js";
import { still } from "./bar.js";

/** @param {string} text @param {"" | "good" | "warn" | "bad" | "busy"} [kind] */
export const badge = (text, kind = "") => h("span", { class: `badge ${kind}` }, text);

/** @type {Record<string, Record<string, string>>} */
const JOB = {
  upload: { waiting: "Waits for bytes", running: "Uploading" },
  prove: { waiting: "Waits to be proved", running: "Being proved", failed: "Proof failed" },
  place: { waiting: "Waits to be placed", running: "Being placed", failed: "Placing failed" },
  ingest: { waiting: "Waits for ingest", running: "Being ingested", failed: "Ingest failed" },
  ended: { done: "Done", aborted: "Aborted" },
};
/** What a vendor is told: how the studio works is its own affair. @type {Record<string, Record<string, string>>} */
const OUTSIDE = {
  upload: JOB.upload,
  prove: { waiting: "At the studio", running: "At the studio", failed: "Failed" },
  place: { waiting: "At the studio", running: "At the studio", failed: "Failed" },
  ingest: { waiting: "Being ingested", running: "Being ingested", failed: "Ingest failed" },
  ended: { done: "Published", aborted: "Cancelled" },
};
/** @type {Record<string, "" | "good" | "warn" | "bad" | "busy">} */
const KINDS = { waiting: "", running: "busy", failed: "bad", aborted: "", done: "good" };

/** Whether none of what was sent is a publish; false where a list does not tell of entries. @param {{tasks?: any[]}} job */
export function onlyUploaded({ tasks = [] }) {
  const sent = tasks.filter((task) => task.status !== "excluded");
  return sent.length > 0 && sent.every((task) => task.can_upload);
}

/** @param {any} job `speed` is above nothing while bytes come @param {boolean} [inside] whether it is shown to the studio */
export function jobBadge(job, inside = true) {
  const { status, phase, speed: coming } = job;
  if (status === "done" && !inside && onlyUploaded(job)) return badge("Uploaded", "good");
  if (status === "paused") return badge("Paused", "warn");
  if (phase === "upload" && status === "running" && !(coming > 0)) return badge("Upload not finished", "warn");
  return badge((inside ? JOB : OUTSIDE)[phase]?.[status] ?? status, KINDS[status]);
}

/** @type {Record<string, [string, "" | "good" | "warn" | "bad" | "busy"]>} */
const TASK = {
  pending: ["Waits for bytes", ""],
  executing: ["Arriving", "busy"],
  queued: ["Has arrived", "good"],
  onhold: ["On hold", "warn"],
  excluded: ["Left out", "warn"],
  failed: ["Failed", "bad"],
  done: ["Placed", "good"],
};

/**
 * Of an entry. A vendor's is published when the studio has ingested it, not when it lies in its place.
 *
 * @param {any} task @param {any} job @param {boolean} inside whether it is shown to the studio
 */
export function taskBadge(task, job, inside) {
  const [words, kind] = TASK[task.status] ?? [task.status, ""];
  if (inside || task.status !== "done") return badge(words, kind);
  if (job.status !== "done") return badge(...TASK.queued);
  return badge(task.can_upload ? "Uploaded" : "Published", kind);
}

/** @type {Record<string, "" | "good" | "warn" | "bad" | "busy">} */
const RUNS = { running: "busy", succeeded: "good", failed: "bad", timed_out: "bad", lost: "warn", cancelled: "warn" };

/** @param {string} state of a hook run */
export const runSaid = (state) => capital(state.replace("_", " "));

/** @param {string} state of a hook run */
export const runBadge = (state) => badge(runSaid(state), RUNS[state]);

/** @param {string} verdict accepted, upload_only or refused */
export function verdictBadge(verdict) {
  const kinds = /** @type {const} */ ({ accepted: "good", upload_only: "warn", refused: "bad" });
  return badge(capital(verdict.replace("_", " ")), kinds[verdict]);
}

/** @param {boolean} on */
export const onOff = (on, yes = "Enabled", no = "Disabled") => badge(on ? yes : no, on ? "good" : "warn");

/** @param {string} text */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** How much has arrived: a bar, and beside it speed and time left while bytes come. @param {any} job */
export function progress(job) {
  const kind = job.status === "done" ? "good" : job.status === "failed" ? "bad" : "";
  return h("div", { class: "progress" }, still(job.progress / 100, `${job.progress} % of the bytes have arrived`, kind), h("span", { class: "small muted nowrap" }, pace(job)));
}

/** @param {any} job */
export function pace(job) {
  if (job.phase !== "upload") return "";
  const percent = `${job.progress} %`;
  if (!(job.speed > 0) || job.status === "paused") return percent; // The server counts the last seconds before the pause, too.
  const rate = job.speed * 1e6;
  return `${percent}, ${speed(rate)}${job.etr ? `, ${lasting((job.size - job.received) / rate)} left` : ""}`;
}

/** A time as one says it, with everything in its title. @param {string | null} iso */
export const time = (iso) => (iso ? h("time", { datetime: iso, title: exactly(iso) }, when(iso)) : "");

/** What went wrong, without the reference, which is shown beside it. @param {any} job */
export const trouble = (job) => (job.reference ? job.error.replace(`Reference: ${job.reference}`, "").trim() : job.error);

/** The same in a list: the studio is shown the cause itself, where it is told. @param {any} job */
export const cause = (job) => job.detail || trouble(job);

/** The e-mail address out of `user:<mail>[<role>](<id>)`. @param {any} job */
export const person = (job) => (job.user_hr || job.user || "").replace(/^user:/, "").replace(/\[[^[]*$/, "");
