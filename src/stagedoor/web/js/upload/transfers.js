/**
 * The transfers of this tab. They go on while the user looks at other pages of the site.
 *
 * Rules
 * 1. While one is under way the browser asks before the tab is closed, and the screen stays awake where it can.
 * 2. A transfer stays in the list until the user takes it away, so that nobody misses how it ended.
 * 3. They belong to who began them: where somebody else signs in, they end here.
 */
import { Transfer } from "./transfer.js";

/** @type {Transfer[]} */
export const transfers = [];
/** @type {Set<() => void>} */
const listeners = new Set();

/** Be told of every change. @param {() => void} listener @param {AbortSignal} [signal] */
export function onTransfers(listener, signal) {
  listeners.add(listener);
  signal?.addEventListener("abort", () => listeners.delete(listener));
}

/** @param {any} job @param {Map<string, import("./transfer.js").Source>} sources @param {Record<string, FileSystemHandle>} handles */
export function begin(job, sources, handles) {
  const there = transferOf(job.id);
  if (there?.running) return there;
  drop(there);
  const transfer = new Transfer(job, sources, changed);
  transfer.limit(limit());
  transfers.unshift(transfer);
  void transfer.keep(handles);
  void transfer.run();
  changed();
  return transfer;
}

/** @param {string} job */
export function transferOf(job) {
  return transfers.find((transfer) => transfer.job.id === job);
}

/** Take it off the list. @param {Transfer | undefined} transfer */
export function drop(transfer) {
  const index = transfers.indexOf(transfer);
  if (index >= 0) transfers.splice(index, 1);
  transfer?.leave();
  changed();
}

/** Whether bytes are on their way, or are to be. */
export const sending = () => transfers.some((transfer) => transfer.busy);

let owner = "";

/** @param {string} user who is signed in now */
export function belongTo(user) {
  if (owner && owner !== user) for (const transfer of [...transfers]) drop(transfer);
  owner = user;
}

/** Bytes per second; 0: none. */
export function limit() {
  try {
    return Number(localStorage.getItem("upload-limit")) || 0;
  } catch {
    return 0;
  }
}

/** @param {number} rate */
export function setLimit(rate) {
  try {
    localStorage.setItem("upload-limit", String(rate));
  } catch {
    // It holds until the page is left, then.
  }
  for (const transfer of transfers) transfer.limit(rate);
}

function changed() {
  const busy = sending();
  guard(busy);
  void stayAwake(busy);
  for (const listener of listeners) listener();
}

let guarded = false;

function guard(busy) {
  if (busy === guarded) return;
  guarded = busy;
  if (busy) addEventListener("beforeunload", warn);
  else removeEventListener("beforeunload", warn);
}

function warn(event) {
  event.preventDefault();
  event.returnValue = true;
}

/** @type {WakeLockSentinel | null} */
let lock = null;
let asking = false;

async function stayAwake(busy) {
  if (!busy) {
    const held = lock;
    lock = null;
    return held?.release();
  }
  if (lock || asking || document.visibilityState !== "visible" || !navigator.wakeLock) return undefined;
  asking = true;
  try {
    const given = await navigator.wakeLock.request("screen");
    if (!sending()) return given.release(); // It was asked for, and paused, meanwhile.
    lock = given;
    given.addEventListener("release", () => lock === given && (lock = null));
  } catch {
    // A battery that is low, or a browser that does not: the upload goes on all the same.
  } finally {
    asking = false;
  }
  return undefined;
}

document.addEventListener("visibilitychange", changed);
addEventListener("online", () => transfers.forEach((transfer) => transfer.wake()));
