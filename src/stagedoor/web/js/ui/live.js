/**
 * What changes on the server, as it happens: server-sent events (`GET /events`), where the stream breaks a question every
 * few seconds. A page that nobody looks at listens to nothing: browsers allow few connections to a server, all tabs together.
 */
import { h } from "../dom.js";

const POLL_MS = 5000;
/** So long a page waits for the stream before it asks, and need not ask twice. */
const BEGIN_MS = 400;
const AGAIN_MS = 30_000;
const SOON_MS = 150;
/** A question is asked anew after so many times as long as its answer took. */
const BREATH = 5;
const MOST_KNOWN = 5000;
/** The server counts bytes as coming for ten seconds after the last. */
const SILENCE_MS = 11_000;

/**
 * What is asked for once the stream has begun misses nothing: a page waits for `begun`, which comes soon in any case, and
 * then asks for the first time.
 *
 * @param {AbortSignal} signal of the page
 * @param {{again: () => void, job?: (news: any) => void}} listener `again`: ask for everything anew; `job`: one has changed
 * @returns {{sign: HTMLElement, begun: Promise<void>}} `sign` says how fresh the page is
 */
export function live(signal, { again, job = () => {} }) {
  const sign = h("span", { class: "live small muted" });
  /** @type {EventSource | null} */
  let source = null;
  let polling = 0;
  let later = 0;
  let waits = true;
  /** @type {() => void} */
  let begin = () => {};
  /** @type {Promise<void>} */
  const begun = new Promise((resolve) => {
    begin = () => {
      waits = false;
      resolve();
    };
  });
  setTimeout(begin, document.hidden ? 0 : BEGIN_MS);
  const say = (streams) => {
    sign.textContent = streams ? "Live" : "Every few seconds";
    sign.classList.toggle("on", streams);
  };
  const poll = (wanted) => {
    if (wanted && !polling) polling = window.setInterval(again, POLL_MS);
    if (!wanted) clearInterval(polling);
    if (!wanted) polling = 0;
    say(!wanted);
  };
  const open = () => {
    clearTimeout(later);
    if (document.hidden || signal.aborted || source) return;
    const stream = (source = new EventSource("/api/v1/events"));
    stream.addEventListener("start", () => {
      poll(false);
      if (waits) begin();
      else again();
    });
    stream.addEventListener("job", (event) => job(JSON.parse(event.data)));
    stream.addEventListener("error", () => {
      if (signal.aborted || source !== stream) return;
      poll(true);
      begin();
      if (stream.readyState !== EventSource.CLOSED) return; // It tries again by itself.
      source = null;
      later = window.setTimeout(open, AGAIN_MS);
    });
  };
  const close = () => {
    source?.close();
    source = null;
    clearTimeout(later);
    clearInterval(polling);
    polling = 0;
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()), { signal });
  signal.addEventListener("abort", close);
  sign.textContent = "Connecting…";
  open();
  return { sign, begun };
}

/**
 * Calls `act` soon, once for many wishes, and then not before `gap` is over, or five times as long as it took: many look on
 * while many jobs change.
 *
 * @param {() => Promise<unknown>} act @param {AbortSignal} signal @param {number} [gap] milliseconds
 */
export function soon(act, signal, gap = 2000) {
  let waiting = 0;
  let busy = false;
  let wanted = false;
  let next = -Infinity;
  const run = async () => {
    waiting = 0;
    if (signal.aborted) return;
    [busy, wanted] = [true, false];
    const began = performance.now();
    try {
      await act();
    } catch {
      // What is shown stays; the next wish comes with the stream, or in a few seconds.
    } finally {
      busy = false;
      next = began + Math.max(gap, BREATH * (performance.now() - began));
      if (wanted) wish();
    }
  };
  const wish = () => {
    wanted = true;
    if (!busy && !waiting) waiting = window.setTimeout(run, Math.max(SOON_MS, next - performance.now()));
  };
  return wish;
}

/**
 * That bytes have stopped coming is no event: while `coming` is said, `act` is called after a while.
 *
 * @param {() => void} act @param {AbortSignal} signal
 */
export function whenSilent(act, signal) {
  let timer = 0;
  signal.addEventListener("abort", () => clearTimeout(timer));
  return (coming) => {
    clearTimeout(timer);
    if (coming && !signal.aborted) timer = window.setTimeout(act, SILENCE_MS);
  };
}

/** Passes on only news of a job that is in another state than when it was last told. @param {() => void} wish */
export function ofState(wish) {
  const known = new Map();
  return ({ id, status, phase }) => {
    if (known.get(id) === status + phase) return;
    if (known.size > MOST_KNOWN) known.clear();
    known.set(id, status + phase);
    wish();
  };
}
