/** What happens next with a job, and who has to do something: one or two sentences. */
import { counted, exactly, when } from "../words.js";

const WORK = { prove: "every byte is read once more and compared", place: "the entries are moved to their places", ingest: "the studio's ingest runs" };

/** @param {any} job @param {boolean} inside read by the studio @param {boolean} own */
export function whatNext(job, inside, own) {
  if (job.status === "done") return done(job.tasks);
  if (job.status === "aborted") return `${inside ? "Aborted" : "Cancelled"}. ${job.tasks.some((task) => task.status === "done") ? "What had been placed stays; the rest can be published again." : "To send these files after all, publish them again."}`;
  if (job.status === "failed") return failed(job, inside);
  if (job.status === "paused") return paused(job, inside);
  if (job.phase === "upload") return upload(job, own);
  if (job.status === "waiting") return job.waits_for || "Everything has arrived; it waits for its turn.";
  return inside ? `Everything has arrived; ${WORK[job.phase]}.` : "Everything has arrived; the studio works on it. There is nothing to do.";
}

/** Entries that were left out have not arrived, and what is uploaded only is no publish. */
function done(tasks) {
  const sent = tasks.filter((task) => task.status !== "excluded");
  const out = tasks.length - sent.length;
  const only = sent.filter((task) => task.can_upload).length;
  const all = only === sent.length;
  const what = out ? "what was not left out" : "everything";
  const told = [
    all ? `Uploaded: ${what} has arrived and is proved.` : `Published: ${what} has arrived, is proved, and the studio's ingest has run.`,
    only && !all ? `${counted(only, "entry is", "entries are")} uploaded only, not a publish.` : "",
    out ? `${counted(out, "entry was", "entries were")} left out.` : "",
  ];
  return told.filter(Boolean).join(" ");
}

function failed(job, inside) {
  if (job.retry_at) return `It is tried again by itself ${when(job.retry_at) ? `at ${exactly(job.retry_at)}` : "soon"}; there is nothing to do.`;
  if (inside) return "Mend the cause, then retry: it goes on from that step, and nothing is uploaded again.";
  return "The studio sees it among what has failed. Retry has the studio's own work on it done once more; nothing is uploaded again.";
}

function paused(job, inside) {
  if (job.error_code === "on_hold") return inside ? "All that is left of it is on hold: release those entries, or leave them out." : "The studio keeps the rest on hold.";
  return inside || job.error_code !== "paused_by_studio" ? "It goes on when it is resumed." : "It goes on when the studio resumes it.";
}

function upload(job, own) {
  const kept = job.staging_expires ? ` What has arrived is kept until ${exactly(job.staging_expires)}.` : "";
  if (job.speed > 0) return `Bytes arrive.${kept}`;
  return `${own ? "Files are still to be sent." : "No bytes arrive just now: the vendor's program is not sending."}${kept}`;
}
