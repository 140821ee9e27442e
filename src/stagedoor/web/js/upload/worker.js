/**
 * Sends the parts of a job, in a thread of its own: a tab that is not looked at goes on at full speed.
 *
 * Rules
 * 1. Each courier is one connection. It reads and hashes the next part while one is on its way, and keeps at a part until
 *    the server has it.
 * 2. A lost connection, a busy server, a full disk and damaged bytes are tried again, with growing pauses. After a lost
 *    connection the server is asked first what it has, so that nothing it has goes twice.
 * 3. What trying again cannot mend ends all, and is told. An upload that is closed, paused or held is left.
 * 4. Stopping lets what is on its way arrive; only `cut` does not.
 * 5. It cuts the parts out of the files itself: of ten thousand files a part, that takes seconds.
 *
 * Messages in: `files` (of an upload, in portions), `start`, `stop`, `cut`, `limit`, `wake` (the network is back). Out: `progress`, `unreadable`, `ended`.
 */
import { Limit } from "./limit.js";
import { ask, digest, send } from "./part.js";
import { LARGEST, left, Plan, SMALLEST } from "./plan.js";
import { blobOf, Tape } from "./tape.js";

const LONGEST_PAUSE = 30_000;
const DAMAGED_TRIES = 5;
const TELL_EVERY = 250;
const CLOSED = new Set(["upload_closed", "upload_gone", "job_paused", "entry_on_hold", "job_ended"]);
const page = /** @type {any} */ (globalThis);

const limit = new Limit();
/** @type {Map<string, {size: number, received: number, flying: Map<Courier, number>}>} */
const uploads = new Map();
/** By upload. @type {Map<string, {sizes: number[], files: File[], tape: Tape | null}>} */
const sources = new Map();
/** @type {Set<XMLHttpRequest>} */
const requests = new Set();
/** Once it has started. @type {Plan | undefined} */
let plan;
let stopping = false;
let working = 0;
let trouble = "";
/** @type {object | null} */
let fatal = null;
/** Those who pause. @type {Set<() => void>} */
const pausing = new Set();

page.onmessage = ({ data }) => {
  if (data.kind === "files") take(data);
  else if (data.kind === "start") start(data);
  else if (data.kind === "limit") newLimit(data.rate);
  else if (data.kind === "stop") stop();
  else if (data.kind === "wake") wakeUp();
  else if (data.kind === "cut") cut();
};

function take({ upload, sizes, files }) {
  const source = sources.get(upload) ?? { sizes: [], files: [], tape: null };
  source.sizes.push(...sizes);
  source.files.push(...files);
  sources.set(upload, source);
}

function start({ views, connections, rate }) {
  limit.set(rate);
  plan = new Plan(connections);
  plan.most = largest(rate);
  for (const view of views) {
    uploads.set(view.id, { size: view.size, received: view.received, flying: new Map() });
    plan.add(view.id, view.missing, view.part_bytes);
    const source = sources.get(view.id);
    source.tape = new Tape(source.sizes);
  }
  working = connections;
  for (let number = 0; number < connections; number += 1) void new Courier().run();
  setInterval(tell, TELL_EVERY);
}

function newLimit(rate) {
  limit.set(rate);
  if (plan) plan.most = largest(rate);
  wakeUp();
}

function stop() {
  stopping = true;
  wakeUp();
}

function cut() {
  stop();
  for (const request of requests) request.abort();
}

function tell() {
  const progress = {};
  for (const [id, { received, size, flying }] of uploads) {
    let sum = received;
    for (const bytes of flying.values()) sum += bytes;
    progress[id] = Math.min(size, sum);
  }
  page.postMessage({ kind: "progress", progress, trouble });
}

function ended() {
  working -= 1;
  if (working) return;
  tell();
  page.postMessage({ kind: "ended", fatal });
  page.close();
}

/** Until so many milliseconds have passed, or somebody says that it may be worth trying. @returns {Promise<void>} */
function pause(milliseconds) {
  if (stopping) return Promise.resolve();
  return new Promise((resolve) => {
    const goOn = () => {
      clearTimeout(timer);
      pausing.delete(goOn);
      resolve();
    };
    const timer = setTimeout(goOn, milliseconds);
    pausing.add(goOn);
  });
}

function wakeUp() {
  for (const goOn of [...pausing]) goOn();
}

/** @typedef {{part: import("./plan.js").Part, bytes: ArrayBuffer, hash: string}} Ready */

class Courier {
  constructor() {
    this.rate = 0;
    this.tries = 0;
    this.damaged = 0;
  }

  async run() {
    try {
      let next = this.ready();
      for (let now = await next; now; now = await next) {
        next = this.ready();
        next.catch(() => {});
        await this.deliver(now);
      }
      await next;
    } catch (error) {
      fatal ??= { code: "internal", message: String(error) };
      stop();
    } finally {
      ended();
    }
  }

  /** The next part, read and hashed; null where there is none to be sent. @returns {Promise<Ready | null>} */
  async ready() {
    const part = stopping ? null : plan.take(this.rate);
    return part && (await this.read(part));
  }

  /** @returns {Promise<Ready | null>} */
  async read(part) {
    try {
      const { tape, files } = sources.get(part.upload);
      const bytes = await blobOf(tape, files, part.start, part.end).arrayBuffer();
      if (bytes.byteLength !== part.end - part.start) throw new Error("the files hold fewer bytes than they did");
      return { part, bytes, hash: await digest(bytes) };
    } catch {
      page.postMessage({ kind: "unreadable", part });
      fatal ??= { code: "source_changed", message: "" };
      stop();
      return null;
    }
  }

  /** Keep at it until the server has the part. @param {Ready} ready */
  async deliver(ready) {
    this.tries = 0;
    this.damaged = 0;
    for (let now = ready; now && !stopping; now = await this.attempt(now));
  }

  /** @param {Ready} ready @returns {Promise<Ready | null>} what is to be tried next */
  async attempt(ready) {
    const { part, bytes, hash } = ready;
    const upload = uploads.get(part.upload);
    const wait = limit.delay(bytes.byteLength);
    if (wait) await pause(wait);
    if (stopping) return null;
    const began = performance.now();
    const answer = await this.put(upload, part, bytes, hash);
    if (answer.status === 200) {
      this.rate = bytes.byteLength / Math.max(0.001, (performance.now() - began) / 1000);
      upload.received = Math.max(upload.received, answer.body?.received ?? 0);
      trouble = "";
      return null;
    }
    return this.refused(ready, answer);
  }

  async put(upload, part, bytes, hash) {
    let request;
    const tellSent = (sent) => upload.flying.set(this, sent);
    const answer = await send(part, upload.size, bytes, hash, tellSent, (opened) => {
      request = opened;
      requests.add(opened);
    });
    requests.delete(request);
    upload.flying.delete(this);
    return answer;
  }

  /** @param {Ready} ready @param {import("./part.js").Answer} answer @returns {Promise<Ready | null>} */
  async refused(ready, answer) {
    const code = answer.body?.code ?? "";
    if (CLOSED.has(code)) {
      plan.drop(ready.part.upload);
      return null;
    }
    if (code === "digest_mismatch") this.damaged += 1;
    if (answer.status === 413) return this.smaller(ready);
    if (!passes(answer, code) || this.damaged >= DAMAGED_TRIES) return this.giveUp(answer, code);
    this.tries += 1;
    trouble = answer.status ? (answer.body?.message ?? `A proxy on the way answers ${answer.status}.`) : "lost";
    await pause(pauseFor(answer, this.tries));
    return answer.status === 0 || answer.status >= 502 ? this.afterLoss(ready) : ready;
  }

  /** A proxy on the way takes less than the server does. */
  smaller(ready) {
    const size = ready.part.end - ready.part.start;
    if (size < 2 * SMALLEST) return this.giveUp({ status: 413, body: null, retryAfter: 0 }, "limit_exceeded");
    plan.smaller(ready.part.upload, Math.ceil(size / 2));
    return this.again(plan.halve(ready.part));
  }

  giveUp(answer, code) {
    const words = this.damaged >= DAMAGED_TRIES ? "The same bytes arrived damaged several times; something between here and the studio changes them." : "";
    fatal ??= { code: code || `http_${answer.status}`, message: words || answer.body?.message || `The server, or a proxy in front of it, answered ${answer.status}.` };
    stop();
    return null;
  }

  /** Nobody knows whether the part arrived: ask, and send what did not. @param {Ready} ready @returns {Promise<Ready | null>} */
  async afterLoss(ready) {
    for (;;) {
      if (stopping) return null;
      const answer = await ask(ready.part.upload);
      if (answer.status === 200) return this.whatIsLeft(ready.part, answer.body);
      if (answer.status && !passes(answer, answer.body?.code)) return this.giveUp(answer, answer.body?.code);
      this.tries += 1;
      await pause(pauseFor(answer, this.tries));
    }
  }

  /** @returns {Promise<Ready | null>} */
  whatIsLeft(part, view) {
    const upload = uploads.get(part.upload);
    upload.received = Math.max(upload.received, view.received);
    trouble = "";
    if (!view.open) {
      plan.drop(part.upload);
      return Promise.resolve(null);
    }
    const [first, ...others] = left(part, view.missing);
    for (const other of others) plan.giveBack(other);
    return first ? this.again(plan.halve(first)) : Promise.resolve(null);
  }

  /** @returns {Promise<Ready | null>} */
  again(part) {
    return this.read(part);
  }
}

/** With a limit, about a second of it, so that it is kept evenly. */
function largest(rate) {
  return rate ? Math.max(SMALLEST, Math.min(rate, LARGEST)) : LARGEST;
}

/** Whether trying again may help. */
function passes(answer, code) {
  return answer.status === 0 || answer.status === 507 || code === "digest_mismatch" || code === "range_in_flight" || answer.status === 429 || answer.status >= 500;
}

function pauseFor(answer, tries) {
  const told = answer.retryAfter * 1000 || 250 * 2 ** Math.min(tries - 1, 7);
  return Math.min(told, LONGEST_PAUSE) * (0.75 + Math.random() / 2);
}
