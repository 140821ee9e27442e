/**
 * Jobs of the user that lack bytes, and going on with them: with the handles that this browser keeps, or with the files
 * dropped or picked again.
 */
import { get, post } from "../api.js";
import { readHandle } from "../scan/find.js";
import { forget, recall } from "./journal.js";
import { match } from "./match.js";
import { begin, transferOf } from "./transfers.js";

/** @typedef {{job: any, handles: Record<string, any>}} Unfinished */

/** Those that no transfer of this tab is about. @param {any} me @param {AbortSignal} signal @returns {Promise<Unfinished[]>} */
export async function unfinished(me, signal) {
  const { items } = await get("/jobs", { query: { state: "upload", user: me.code, tasks: true, limit: 50 }, signal });
  const here = items.filter((job) => !transferOf(job.id));
  return Promise.all(here.map(async (job) => ({ job, handles: (await recall(job.id))?.handles ?? {} })));
}

/** The tasks of a job that lack bytes. */
export function lacking(job) {
  return job.tasks.filter((task) => task.received < task.size && task.status !== "excluded");
}

/** Whether this browser can open the files by itself. @param {Unfinished} one */
export function hasHandles({ job, handles }) {
  return lacking(job).every((task) => handles[task.id]);
}

/**
 * Open them by the handles that were kept. To be called while a click is handled, since the browser may ask the user.
 *
 * @param {Unfinished} one @returns {Promise<import("../scan/find.js").Found[] | null>} null where the user said no
 */
export async function reopen({ job, handles }) {
  const wanted = lacking(job).map((task) => handles[task.id]);
  for (const handle of wanted) if ((await handle.requestPermission({ mode: "read" })) !== "granted") return null;
  const found = [];
  for (const handle of wanted) await readHandle(handle, (one) => found.push(one));
  return found;
}

/**
 * Go on with a job, where all that it lacks was found, as it was validated.
 *
 * @param {Unfinished} one @param {import("../scan/find.js").Found[]} found
 * @returns {Promise<{path: string, reason: string}[]>} what is not as it was; empty: it goes on
 */
export async function goOn({ job, handles }, found) {
  const byName = new Map(found.filter(({ node }) => node).map((one) => [one.node.filename, one]));
  const sources = new Map();
  const changes = [];
  const kept = { ...handles };
  for (const task of lacking(job)) {
    const one = byName.get(task.filename);
    if (!one) {
      changes.push({ path: task.filename, reason: "was not among them" });
      continue;
    }
    const matched = match(await get(`/jobs/${job.id}/tasks/${task.id}/files`), one.node);
    changes.push(...matched.changes);
    sources.set(task.id, { sizes: matched.sizes, files: matched.files });
    if (one.handle) kept[task.id] = one.handle;
  }
  if (!changes.length) begin(job, sources, kept);
  return changes;
}

/** @param {string} job */
export async function giveUp(job) {
  await post(`/jobs/${job}/abort`);
  await forget(job);
}
