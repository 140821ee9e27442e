/** A run of a hook: what it read, wrote and said; and, of a pre-publish run, what today's script would say. */
import { get, post } from "../api.js";
import { breakable, fill, h } from "../dom.js";
import { doing } from "../desk/act.js";
import { facts } from "../desk/entries.js";
import { difference } from "../desk/replay.js";
import { beside, texts, took } from "../desk/runs.js";
import { runBadge, time } from "../ui/status.js";

export const title = "Run";

const AGAIN_MS = 2000;

export async function show(page) {
  const { id } = page.params;
  const { run } = await get(`/runs/${id}`, { query: { most: 0 }, signal: page.signal });
  const about = h("div", {});
  const job = await jobOf(run, page.signal);
  const draw = (found) => fill(about, head(found), details(found, job));
  draw(run);
  page.name(run.hook);
  const admin = page.me.role === "admin";
  const texts_ = h("div", {});
  const names = admin ? ["stderr", "stdout", "input", "output"] : ["input", "output"];
  const drawTexts = ({ state }) => {
    const failed = admin && state !== "succeeded" && state !== "running";
    fill(texts_, texts(page, id, names, failed ? "stderr" : ""));
  };
  drawTexts(run);
  fill(
    page.main,
    about,
    h("section", { "aria-labelledby": "said" }, h("h2", { id: "said" }, "What it read, answered and said"), admin ? null : h("p", { class: "muted small" }, "What a program says on stdout and stderr is shown to administrators."), texts_),
    admin ? again(page, run) : null,
  );
  if (run.state === "running") wait(page, id, draw, drawTexts);
}

function head(run) {
  return [h("p", { class: "small" }, h("a", { href: "/hooks" }, "Hooks")), h("div", { class: "row apart" }, h("h1", {}, run.hook), runBadge(run.state)), run.error ? h("p", { class: "notice bad any" }, run.error) : null];
}

/** Its job, whose name says more than its id; null where there is none, or it cannot be had. */
function jobOf(run, signal) {
  return run.job ? get(`/jobs/${run.job}`, { signal }).catch(() => null) : null;
}

function details(run, job) {
  return facts(
    [
      ["Began", time(run.started)],
      ["Took", run.seconds === null ? "It still runs." : took(run)],
      ["Exit code", run.exit_code === null ? "none" : run.exit_code < 0 ? `ended by signal ${-run.exit_code}` : run.exit_code],
      ["Attempt", run.attempt],
      run.job ? ["Job", h("a", { href: `/jobs/${run.job}` }, job ? breakable(job.name) : h("code", {}, run.job))] : null,
      run.about && !run.job ? ["Entries", [breakable(run.about), beside(run)]] : null,
      run.offer ? ["Offer", h("code", {}, run.offer)] : null,
      run.user ? ["User", h("a", { href: `/people?where=${encodeURIComponent(`id = ${run.user}`)}` }, run.user_hr ? breakable(run.user_hr) : h("code", {}, run.user))] : null,
      ["Command", h("code", {}, run.command)],
      ["Version", h("code", { title: "A hash over every file that the command names" }, run.version)],
      ["Run", h("code", {}, run.id)],
    ].filter(Boolean),
  );
}

/** Until it has ended: what was read of it so far is not all. */
function wait(page, id, draw, ended) {
  const timer = setInterval(async () => {
    const { run } = await get(`/runs/${id}`, { query: { most: 0 }, signal: page.signal }).catch(() => ({ run: null }));
    if (run) draw(run);
    if (!run || run.state === "running") return;
    clearInterval(timer);
    ended(run);
  }, AGAIN_MS);
  page.signal.addEventListener("abort", () => clearInterval(timer));
}

function again(page, run) {
  if (run.hook === "pre-publish-server") return replay(page, run);
  const act = async () => page.go(`/runs/${(await post(`/runs/${run.id}/for-real`, {}, { signal: page.signal })).id}`);
  const sure = { title: "Run it again for real?", text: `${run.hook} does what it does once more, on what this run had read, with "replay": true in its input. A failed ingest is retried on the page of its job instead.`, yes: "Run it" };
  return h("section", { "aria-labelledby": "again" }, h("h2", { id: "again" }, "Again"), h("p", { class: "muted" }, "This hook does something: it can only be run for real."), doing("Run it again for real", act, { sure, class: "danger", id: "for-real" }));
}

function replay(page, run) {
  const place = h("div", {});
  const act = async () => fill(place, difference(await post(`/runs/${run.id}/replay`, {}, { signal: page.signal })));
  return h(
    "section",
    { "aria-labelledby": "again" },
    h("h2", { id: "again" }, "What would today's script say?"),
    h("p", { class: "muted" }, "It is given what this run had read. Nothing is recorded or reserved."),
    h("div", { class: "row" }, doing("Replay", act, { class: "primary", id: "replay" })),
    place,
  );
}
