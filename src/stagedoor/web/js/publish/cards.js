/** The transfers of this tab, a card each: how far, how fast, what is in the way, and how it ended. */
import { breakable, fill, h, icon } from "../dom.js";
import { spokenChanges } from "../upload/match.js";
import { drop, transfers } from "../upload/transfers.js";
import { ask } from "../ui/dialog.js";
import { receipts } from "../ui/receipts.js";
import { bar } from "../ui/bar.js";
import { onlyUploaded, trouble as said } from "../ui/status.js";
import { toast } from "../ui/toast.js";
import { bytes, counted, lasting, speed, when } from "../words.js";

/** @typedef {import("../upload/transfer.js").Transfer} Transfer */

export class Card {
  /** @param {Transfer} transfer */
  constructor(transfer) {
    this.transfer = transfer;
    const { job } = transfer;
    this.bar = bar(`Upload of ${job.code}`);
    this.title = h("h2", { tabindex: "-1", id: `transfer-${job.id}` }, breakable(job.code));
    this.badge = h("span", { class: "badge" });
    this.numbers = h("p", { class: "numbers" });
    this.says = h("div", { class: "transfer-says" });
    this.announces = h("p", { class: "unseen", role: "status" });
    this.actions = h("div", { class: "row" });
    /** @type {Map<string, {row: HTMLElement, bar: ReturnType<typeof bar>, text: HTMLElement}>} */
    this.tasks = new Map();
    this.list = h("ul", { class: "task-bars" }, job.tasks.length > 1 ? job.tasks.map((task) => this.task(task)) : null);
    this.element = h("section", { class: "card transfer-card", "aria-labelledby": this.title.id }, h("div", { class: "row apart" }, this.title, this.badge), this.bar.element, this.numbers, this.says, this.list, this.actions, this.announces);
    this.state = "";
  }

  task(task) {
    const made = { row: h("li", {}), bar: bar(`Upload of ${task.filename}`), text: h("span", { class: "muted small number" }) };
    fill(made.row, h("span", { class: "clip" }, task.filename), made.bar.element, made.text);
    this.tasks.set(task.id, made);
    return made.row;
  }

  draw() {
    const { transfer } = this;
    const { job } = transfer;
    this.progress();
    const looks = JSON.stringify([transfer.state, job.status, job.phase, job.error, job.reference, job.waits_for, transfer.trouble, transfer.problem, job.retry_at, before(transfer)]);
    if (looks === this.state) return;
    this.state = looks;
    const told = tell(transfer);
    this.badge.className = `badge ${told.kind}`;
    fill(this.badge, told.badge);
    fill(this.says, told.text);
    if (this.announces.textContent !== told.spoken) fill(this.announces, told.spoken);
    this.drawActions();
  }

  progress() {
    const { transfer } = this;
    const { job, state } = transfer;
    const done = job.phase !== "upload";
    const sent = done ? job.size : transfer.sent;
    const share = job.size ? sent / job.size : 1;
    this.bar.set(share, state === "stopped" || job.status === "failed" ? "bad" : job.status === "done" ? "good" : "");
    fill(this.numbers, done ? [bytes(job.size), " sent"] : [`${bytes(sent)} of ${bytes(job.size)}`, pace(transfer, job.size - sent)]);
    for (const task of job.tasks) this.taskProgress(task, done);
  }

  taskProgress(task, done) {
    const made = this.tasks.get(task.id);
    if (!made) return;
    const share = done ? 1 : task.size ? (this.transfer.shown.get(task.upload) ?? 0) / task.size : 1;
    made.bar.set(share, done && this.transfer.job.status === "done" ? "good" : "");
    const words = task.status === "excluded" ? "left out" : task.status === "onhold" ? "on hold" : `${Math.floor(share * 100)} %`;
    if (made.text.textContent !== words) fill(made.text, words);
  }

  drawActions() {
    const { transfer, actions } = this;
    const focused = actions.contains(document.activeElement);
    fill(actions, buttons(transfer));
    if (focused) (/** @type {HTMLElement | null} */ (actions.querySelector("button, a")) ?? this.title).focus({ preventScroll: true });
  }
}

function pace(transfer, left) {
  if (transfer.state !== "sending" || transfer.trouble || !transfer.speed) return null;
  return `, ${speed(transfer.speed)}, ${lasting(left / transfer.speed)} left`;
}

function button(words, name, act, kind = "") {
  return h("button", { class: `button ${kind}`, type: "button", on: { click: act } }, icon(name), words);
}

function buttons(transfer) {
  const { state, job } = transfer;
  const sends = ["queued", "sending", "held"].includes(state);
  const rests = state === "paused" || state === "stopped";
  const receipt = ["ingest", "ended"].includes(job.phase) && job.status !== "aborted";
  return [
    sends ? button("Pause", "pause", () => transfer.pause()) : null,
    rests ? button("Go on", "play", () => transfer.resume(), "primary") : null,
    sends || rests ? button("Cancel this publish", "cross", () => void cancel(transfer), "quiet") : null,
    receipt ? receipts(job) : null,
    state === "over" || state === "arrived" ? h("a", { class: "button quiet", href: `/jobs/${job.id}` }, "Open the job") : null,
    state === "over" || (state === "arrived" && job.status === "failed") ? button("Close", "check", () => drop(transfer)) : null,
  ];
}

async function cancel(transfer) {
  const sure = await ask({
    title: "Cancel this publish?",
    text: `Nothing of “${transfer.job.code}” will be published. What has arrived is not sent again if you publish the same files soon with the command line.`,
    yes: "Cancel the publish",
    no: "Keep it",
    danger: true,
  });
  if (!sure) return;
  try {
    await transfer.abort();
  } catch (error) {
    toast(error.message, "bad");
  }
}

const OPEN = "Keep this tab open until everything is sent. You can look at other pages of this site meanwhile.";
const CLOSE = "You can close this tab.";
const CLOSED = "after closing this tab you find it here as unfinished.";

/** The name of what is sent before it; "" where nothing is. @param {Transfer} transfer */
function before(transfer) {
  if (transfer.state !== "queued") return "";
  return transfers.find((other) => other !== transfer && ["sending", "pausing"].includes(other.state))?.job.code ?? "";
}

/** The truth about it. `spoken` is for who cannot see the page: only what changes rarely. @returns {{badge: string, kind: string, text: import("../dom.js").Child, spoken: string}} */
function tell(transfer) {
  const { state, job, trouble } = transfer;
  if (job.status === "aborted") return made("Cancelled", "", job.error && job.error_code !== "aborted" ? job.error : "Nothing was published.");
  if (job.status === "done") return made(onlyUploaded(job) ? "Uploaded" : "Published", "good", done(job));
  if (state === "stopped") return stopped(transfer);
  if (state === "queued") return queued(transfer);
  if (state === "pausing") return made("Pausing…", "busy", "What is on its way still arrives.");
  if (state === "paused") return made("Paused", "warn", `Nothing is sent. It goes on when you say so; ${CLOSED}`);
  if (state === "held") return held(transfer);
  if (state === "sending") return trouble ? { ...made("Waiting", "warn", trouble), spoken: trouble } : made("Sending", "busy", OPEN);
  return atTheStudio(job);
}

function queued(transfer) {
  const { job, trouble } = transfer;
  const other = before(transfer);
  if (!other) return made(trouble ? "Waiting" : "Begins", trouble ? "warn" : "busy", [trouble, OPEN].filter(Boolean).join(" "), trouble || `${job.code} begins`);
  return made("Waits", "busy", `It begins when “${other}” has been sent. ${OPEN}`, `${job.code} waits`);
}

/** The job is paused, or what it lacks is on hold. */
function held({ job, trouble }) {
  const own = job.status === "paused" && job.error_code === "paused_by_owner";
  if (!own) return made("Held by the studio", "warn", `${trouble} It goes on by itself while this tab is open; ${CLOSED}`);
  return made("Paused", "warn", h("p", {}, "You paused this job: it goes on from here when you resume it on ", h("a", { href: `/jobs/${job.id}` }, "its page"), `; ${CLOSED}`));
}

/** Everything has arrived. */
function atTheStudio(job) {
  if (job.status === "failed") return failed(job);
  if (job.status === "paused") return made("Paused", "warn", `Everything has arrived. ${job.error || "The studio has paused it."} ${CLOSE}`);
  if (job.status === "waiting") return made("At the studio", "busy", `Everything has arrived. ${job.waits_for || "It waits for its turn."} ${CLOSE}`);
  const words = { prove: "The studio reads everything once more and compares it.", place: "It is put in its place.", ingest: "It is being ingested." };
  return made(job.phase === "ingest" ? "Being ingested" : "At the studio", "busy", `Everything has arrived. ${words[job.phase] ?? ""} ${CLOSE}`);
}

function failed(job) {
  const ingest = job.error_code === "hook_failed";
  const again = job.retry_at ? `It is tried again by itself, ${when(job.retry_at)}.` : "";
  const words = ingest ? said(job) : `Everything has arrived; nothing needs to be sent again. ${said(job)}`; // An ingest says so itself.
  return {
    badge: ingest ? "Ingest failed" : "Failed",
    kind: "bad",
    spoken: `${job.code}: failed`,
    text: [
      h("p", {}, `${words} ${again}`),
      job.reference ? h("p", {}, "Reference ", h("code", {}, job.reference)) : null,
      h("p", { class: "muted" }, CLOSE),
    ],
  };
}

function done(job) {
  const out = job.tasks.filter((task) => task.status === "excluded");
  const sent = job.tasks.filter((task) => task.status !== "excluded");
  const only = sent.filter((task) => task.can_upload);
  const all = only.length === sent.length;
  const who = out.length ? counted(sent.length, "entry", "entries") : "Everything";
  const [have, were, are] = out.length && sent.length !== 1 ? ["have", "were", "are"] : ["has", "was", "is"];
  return [
    h("p", {}, all ? `${who} ${have} been uploaded.` : `${who} ${have} arrived, ${only.length ? `and ${were} proved byte by byte: ${shares(sent.length - only.length, only.length)}` : `${were} proved byte by byte, and ${are} published`}.`),
    only.length && !all ? h("p", {}, `Uploaded only, not a publish: ${names(only)}.`) : null,
    out.length ? h("p", {}, `Left out, not published: ${names(out)}.`) : null,
    h("p", { class: "muted" }, CLOSE),
  ];
}

const shares = (published, only) => `${counted(published, "entry is", "entries are")} published, ${counted(only, "was", "were")} only uploaded`;

const names = (tasks) => tasks.map((task) => task.filename).join(", ");

function stopped(transfer) {
  const { problem } = transfer;
  const changes = problem.changes ?? [];
  return {
    ...made("Stopped", "bad", ""),
    text: h(
      "div",
      { class: "notice bad", role: "alert" },
      h("p", {}, problem.message),
      changes.length ? h("p", {}, spokenChanges(changes), ".") : null,
      problem.code === "source_changed" ? h("p", {}, "Put them back as they were, reload this page and go on; or cancel this publish and publish anew.") : null,
      problem.code === "sign_in_refused" ? h("p", {}, h("a", { href: "/sign-in?to=/publish" }, "Sign in")) : null,
    ),
  };
}

function made(badge, kind, text, spoken = badge) {
  return { badge, kind, text: typeof text === "string" && text ? h("p", {}, text) : text, spoken };
}
