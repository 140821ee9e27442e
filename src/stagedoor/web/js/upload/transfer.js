/**
 * One job on its way from this tab: its bytes, then what the studio does with them.
 *
 * Rules
 * 1. What is missing is what the server says; nothing is remembered here of what was sent.
 * 2. When all parts are through the server is asked again, until it misses nothing or the job has moved on.
 * 3. Only one tab of a browser sends a job (a lock of the browser's), and one transfer at a time sends.
 * 4. What is said at the end is what the job says, never what was sent.
 * 5. It stops where a person must act: files are not as they were checked, or are needed and not at hand.
 * 6. Once it is left, it sends and asks no more.
 *
 * States: `queued` (another transfer sends), `sending`, `pausing`, `paused` (by the user), `held` (the studio's pause or
 * hold), `stopped` (a person must act: `problem`), `arrived` (everything has; the studio works), `over`.
 */
import { get, post, Refusal, Unreachable } from "../api.js";
import { Slices } from "../scan/slices.js";
import { startWorker } from "../worker.js";
import { forget, remember } from "./journal.js";
import { Speed } from "./speed.js";
import { Tape } from "./tape.js";

/** Browsers open six connections to a server; two are left for everything else. */
const CONNECTIONS = 4;
const LOOK_MS = 3000;
const LOOK_SOON_MS = 1000;
const ROUNDS_IN_VAIN = 3;
/** Files that are handed to the worker in one message. */
const PORTION = 1000;
const ENDED = new Set(["done", "aborted"]);
/** Entries that the job goes on without. */
const KEPT = new Set(["onhold", "excluded"]);
/** So long an answer may take. */
const PATIENCE_MS = 30_000;

/** The files of a task in the order of its tape, and their sizes as they were validated. @typedef {{sizes: number[], files: File[]}} Source */
/** @typedef {{code: string, message: string, changes?: {path: string, reason: string}[]}} Problem */

/** The last one that asked for its turn to send. @type {Promise<unknown>} */
let last = Promise.resolve();

export class Transfer {
  /** @param {any} job as the server shows it @param {Map<string, Source>} sources by task @param {() => void} changed */
  constructor(job, sources, changed) {
    this.job = job;
    this.sources = sources;
    this.changed = changed;
    this.state = "queued";
    this.trouble = "";
    /** @type {Problem | null} */
    this.problem = null;
    /** Bytes to be shown, by upload. @type {Map<string, number>} */
    this.shown = new Map(job.tasks.map((task) => [task.upload, task.received]));
    this.meter = new Speed();
    this.speed = 0;
    this.rate = 0;
    this.wantsPause = false;
    this.running = false;
    this.left = false;
    /** @type {Worker | null} */
    this.worker = null;
  }

  get sent() {
    return this.job.tasks.reduce((sum, task) => sum + (this.shown.get(task.upload) ?? 0), 0);
  }

  /** Whether the tab must stay open. */
  get busy() {
    return ["queued", "sending", "pausing"].includes(this.state);
  }

  /** @param {string} state */
  become(state) {
    this.state = state;
    this.changed();
  }

  // --- what the user does

  /** Send, and follow the job to its end. */
  async run() {
    if (this.running) return;
    this.running = true;
    this.problem = null;
    this.wantsPause = false;
    this.become("queued");
    try {
      await alone(this.job.id, () => this.toTheEnd(), () => this.stop({ code: "elsewhere", message: "Another tab of this browser sends this already." }));
    } catch (error) {
      if (this.wantsPause && error instanceof Unreachable) this.become("paused");
      else this.stop(problemOf(error));
    } finally {
      this.running = false;
    }
    if (this.state === "arrived") void this.follow();
  }

  pause() {
    this.wantsPause = true;
    this.become(this.state === "sending" ? "pausing" : "paused");
    this.worker?.postMessage({ kind: "stop" });
  }

  resume() {
    this.wantsPause = false;
    if (this.running) this.become("queued");
    else void this.run();
  }

  /** @param {number} rate bytes per second; 0: no limit */
  limit(rate) {
    this.rate = rate;
    this.worker?.postMessage({ kind: "limit", rate });
  }

  /** The network is there again. */
  wake() {
    this.worker?.postMessage({ kind: "wake" });
  }

  /** Nobody looks after it any more: it is taken off the list, or whose it is has gone. What has arrived stays at the studio. */
  leave() {
    this.left = true;
    this.cut();
  }

  cut() {
    this.wantsPause = true;
    this.worker?.postMessage({ kind: "cut" });
  }

  async abort() {
    this.cut();
    this.job = { ...(await post(`/jobs/${this.job.id}/abort`)) };
    await this.ended();
  }

  // --- sending

  async toTheEnd() {
    let inVain = 0;
    await this.look();
    let views = await this.missing();
    while (this.job.phase === "upload" && !this.problem && !ENDED.has(this.job.status)) {
      if (this.wantsPause) return this.become("paused");
      if (!views.length) {
        const needed = this.needed();
        if (needed.length) return this.stop({ code: "files_needed", message: `The studio needs ${needed.join(", ")} again: reload this page and choose it again. Nothing else is sent twice.` });
        await this.wait();
        views = await this.missing();
        continue;
      }
      const before = sum(views);
      await inTurn(() => (this.wantsPause ? undefined : this.round(views)));
      if (this.problem) return undefined;
      if (this.wantsPause) continue;
      await this.look();
      views = await this.missing();
      inVain = sum(views) < before ? 0 : inVain + 1;
      if (inVain >= ROUNDS_IN_VAIN) return this.stop({ code: "in_vain", message: "The server takes the bytes but goes on missing them. Tell the studio." });
    }
    return this.problem ? undefined : this.become("arrived");
  }

  /** The studio has paused it, or keeps the rest back. */
  async wait() {
    const paused = this.job.status === "paused";
    if (paused || this.job.tasks.some((task) => task.status === "onhold")) {
      this.trouble = paused ? this.job.error || "The studio has paused this job." : "The rest is on hold at the studio.";
      this.become("held");
    }
    await delay(LOOK_MS);
    await this.look();
  }

  /** Names of entries that lack bytes and may have them, but whose files are not at hand. @returns {string[]} */
  needed() {
    if (this.job.status === "paused" || ENDED.has(this.job.status)) return [];
    return this.job.tasks.filter((task) => !KEPT.has(task.status) && task.received < task.size && !this.sources.has(task.id)).map((task) => task.filename);
  }

  /** The uploads that lack bytes and may have them. */
  async missing() {
    if (this.job.status === "paused" || this.job.phase !== "upload") return [];
    const tasks = this.job.tasks.filter((task) => !KEPT.has(task.status) && this.sources.has(task.id));
    const views = await Promise.all(tasks.map((task) => patiently(`/uploads/${task.upload}`, this)));
    for (const view of views) this.shown.set(view.id, view.received);
    return views.filter((view) => !view.complete && view.open);
  }

  /** Send what these uploads miss. @returns {Promise<void>} */
  async round(views) {
    const tasks = new Map(this.job.tasks.map((task) => [task.upload, task]));
    const changes = views.filter(({ id, size }) => sizeOf(this.sources.get(tasks.get(id).id)) !== size).map(({ id }) => ({ path: tasks.get(id).filename, reason: "has another size than when it was checked" }));
    if (changes.length) return this.stop({ code: "source_changed", message: CHANGED, changes });
    this.trouble = "";
    this.meter.clear();
    this.become("sending");
    return new Promise((resolve) => {
      this.worker = startWorker(new URL("./worker.js", import.meta.url));
      this.worker.onmessage = ({ data }) => this.told(data, tasks, resolve);
      this.worker.onerror = () => this.roundEnded({ code: "internal", message: "The part of this page that sends has failed. Reload the page to go on." }, resolve);
      void this.hand(this.worker, views, tasks);
    });
  }

  /** The files go in portions: one message of very many would keep the page busy. */
  async hand(worker, views, tasks) {
    const slices = new Slices();
    const given = views.map(({ id }) => ({ id, ...this.sources.get(tasks.get(id).id) }));
    for (const { id, sizes, files } of given) {
      for (let from = 0; from < files.length; from += PORTION) {
        worker.postMessage({ kind: "files", upload: id, sizes: sizes.slice(from, from + PORTION), files: files.slice(from, from + PORTION) });
        await slices.breathe();
      }
    }
    worker.postMessage({ kind: "start", views, connections: CONNECTIONS, rate: this.rate });
  }

  told(data, tasks, resolve) {
    if (data.kind === "progress") this.progress(data);
    else if (data.kind === "unreadable") void this.nameUnreadable(tasks.get(data.part.upload), data.part);
    else if (data.kind === "ended") this.roundEnded(data.fatal, resolve);
  }

  progress({ progress, trouble }) {
    for (const [upload, shown] of Object.entries(progress)) this.shown.set(upload, shown);
    this.trouble = trouble === "lost" ? "The server does not answer just now. It goes on by itself when it does." : trouble;
    this.speed = this.meter.at(this.sent);
    this.changed();
  }

  roundEnded(fatal, resolve) {
    this.worker?.terminate();
    this.worker = null;
    if (fatal) this.stop(this.problem ?? { code: fatal.code, message: wordsFor(fatal) });
    resolve();
  }

  /** Which file cannot be read as it was checked. */
  async nameUnreadable(task, part) {
    const { sizes, files } = this.sources.get(task.id) ?? { sizes: [], files: [] };
    const changes = [];
    for (const { index, from } of new Tape(sizes).pieces(part.start, part.end)) {
      const file = files[index];
      const readable = await file.slice(from, from + 1).arrayBuffer().then((bytes) => bytes.byteLength === 1, () => false);
      if (!readable) changes.push({ path: file.webkitRelativePath || file.name, reason: "was changed, moved or deleted after it was checked" });
    }
    this.stop({ code: "source_changed", message: CHANGED, changes });
  }

  /** @param {Problem} problem */
  stop(problem) {
    this.problem = problem;
    this.become("stopped");
  }

  // --- after the bytes

  /** @returns {Promise<void>} */
  async look() {
    this.job = await patiently(`/jobs/${this.job.id}`, this);
    this.changed();
  }

  /** Until the job has ended. Where the proof asks for bytes again, they are sent. */
  async follow() {
    while (!ENDED.has(this.job.status)) {
      await delay(this.job.status === "failed" ? LOOK_MS : LOOK_SOON_MS);
      if (this.left) return undefined;
      try {
        await this.look();
      } catch (error) {
        if (error instanceof Refusal) return this.stop(problemOf(error));
      }
      if (this.left) return undefined;
      if (this.job.phase === "upload" && !ENDED.has(this.job.status)) return void this.run();
    }
    return this.ended();
  }

  async ended() {
    await forget(this.job.id);
    this.sources.clear();
    this.become("over");
  }

  /** @param {Record<string, FileSystemHandle>} handles */
  keep(handles) {
    return Object.keys(handles).length ? remember({ job: this.job.id, handles }) : undefined;
  }
}

const CHANGED = "Files are not as they were when they were checked.";

/** @param {Source} source */
const sizeOf = ({ sizes }) => sizes.reduce((total, size) => total + size, 0);

const sum = (views) => views.reduce((total, view) => total + view.size - view.received, 0);

/** @returns {Promise<void>} */
const delay = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Ask until an answer comes. @param {string} path @param {Transfer} transfer */
async function patiently(path, transfer) {
  for (;;) {
    try {
      return await get(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
    } catch (error) {
      const passes = error instanceof Unreachable || (error instanceof Refusal && error.status >= 500);
      if (!passes || transfer.wantsPause) throw error;
      transfer.trouble = error.message;
      transfer.changed();
      await delay(error instanceof Refusal && error.retryAfter ? error.retryAfter * 1000 : 1500);
    }
  }
}

/** Do it when all that asked before have done theirs. @param {() => Promise<void> | undefined} act */
function inTurn(act) {
  const mine = last.then(act);
  last = mine.catch(() => {});
  return mine;
}

/** @param {string} job @param {() => Promise<void>} act @param {() => void} taken */
async function alone(job, act, taken) {
  if (!navigator.locks) return act();
  return navigator.locks.request(`stagedoor-upload-${job}`, { ifAvailable: true }, (lock) => (lock ? act() : taken()));
}

/** @returns {Problem} */
function problemOf(error) {
  if (error instanceof Refusal) return { code: error.code, message: wordsFor(error) };
  if (error instanceof Unreachable) return { code: "unreachable", message: error.message };
  console.error(error);
  return { code: "internal", message: "This page has an error. Reload it to go on; nothing that was sent is lost." };
}

function wordsFor({ code, message }) {
  if (code === "sign_in_refused") return "You are signed out. Sign in again and go on; nothing that was sent is lost.";
  return message;
}
