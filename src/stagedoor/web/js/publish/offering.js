/**
 * The entries that are to be published, and what the studio says of them.
 *
 * Rules
 * 1. It asks the studio by itself, as soon as nothing is read any more, and never before; every change asks anew, for the whole
 *    list.
 * 2. An entry of a name that is there replaces that one, in its place and with its id.
 * 3. It lives as long as the tab: a look at another page loses nothing.
 *
 * States: `empty`, `reading`, `faulty` (something could not be read), `asking`, `told` (with `answer`), `failed` (with `error`).
 *
 * @typedef {object} Entry
 * @property {string} id        uuid4
 * @property {string} name
 * @property {import("../scan/find.js").Found} found
 * @property {boolean} reading
 * @property {import("../scan/tree.js").Summary | null} summary
 * @property {any} verdict      null where there is none (yet)
 * @property {{path: string, reason: string}[]} faults  what the server says of names and sizes
 */
import { post, remove, Refusal } from "../api.js";
import { summary, written } from "../scan/tree.js";

export class Offering {
  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
    /** @type {Entry[]} */
    this.entries = [];
    this.state = "empty";
    /** @type {any} */
    this.answer = null;
    /** @type {Error | null} */
    this.error = null;
    /** Why what was given last could not be read, where no entry of it is there to say so. */
    this.unread = "";
    /** Junk that was offered by itself. */
    this.junkAlone = 0;
    this.leavesOutRefused = false;
    this.asking = false;
    this.reads = 0;
    this.version = 0;
  }

  // --- what the user does

  /** @param {Entry[]} entries */
  remove(entries) {
    const gone = new Set(entries);
    this.entries = this.entries.filter((entry) => !gone.has(entry));
    if (this.entries.length) return this.ask();
    this.withdraw();
    return this.clear();
  }

  /** All of it: it is submitted, or not wanted. */
  clear() {
    this.version += 1;
    this.entries = [];
    this.answer = null;
    this.error = null;
    this.unread = "";
    this.junkAlone = 0;
    this.leavesOutRefused = false;
    this.become(this.reads ? "reading" : "empty");
  }

  /** These are submitted; what came meanwhile stays, and the studio is asked about it. @param {Entry[]} entries */
  submitted(entries) {
    const ids = new Set(entries.map((entry) => entry.id));
    const later = this.entries.filter((entry) => !entries.includes(entry));
    for (const entry of later) if (ids.has(entry.id)) entry.id = crypto.randomUUID(); // It took the place of one that is gone.
    this.clear();
    this.entries = later;
    return later.length ? this.ask() : undefined;
  }

  /** The places that the studio keeps for an offer are free again. */
  withdraw() {
    if (this.answer) remove(`/offers/${this.answer.id}`).catch(() => {}); // it expires by itself
  }

  // --- what the page asks

  get accepted() {
    return this.entries.filter((entry) => entry.verdict?.can_publish);
  }

  get refused() {
    return this.entries.filter((entry) => entry.verdict?.rejected);
  }

  /** Those that will be sent. */
  get going() {
    return this.entries.filter((entry) => entry.verdict && !entry.verdict.rejected);
  }

  get size() {
    return this.entries.reduce((sum, entry) => sum + entry.found.size, 0);
  }

  get files() {
    return this.entries.reduce((sum, entry) => sum + entry.found.files, 0);
  }

  get junk() {
    return this.entries.reduce((sum, entry) => sum + entry.found.junk, this.junkAlone);
  }

  // --- reading

  /** @param {(begun: (found: import("../scan/find.js").Found) => void) => Promise<unknown>} reader */
  async read(reader) {
    this.version += 1;
    this.reads += 1;
    this.unread = "";
    this.become("reading");
    /** @type {Entry[]} */
    const fresh = [];
    const ticking = setInterval(() => this.changed(), 200);
    try {
      await reader((found) => this.begun(found, fresh));
      for (const entry of fresh) {
        entry.summary = await summary(entry.found.node);
        entry.reading = false;
      }
    } catch (error) {
      this.brokenOff(fresh, error);
    } finally {
      clearInterval(ticking);
      this.reads -= 1;
    }
    if (!this.reads) await this.ask();
  }

  /** Nothing of what could not be read to its end is offered. @param {Entry[]} fresh @param {any} error */
  brokenOff(fresh, error) {
    const why = error?.message || String(error);
    for (const entry of fresh) {
      entry.reading = false;
      entry.found.faults.push({ path: entry.name, reason: `could not be read to its end: ${why}` });
    }
    if (!fresh.length) this.unread = `What you chose could not be read: ${why}. Choose it again; where that does not help, reload this page and try with fewer files.`;
  }

  begun(found, fresh) {
    if (!found.node) {
      this.junkAlone += found.junk;
      return;
    }
    const name = found.node.filename;
    const place = this.entries.findIndex((entry) => entry.name === name);
    const id = place >= 0 ? this.entries[place].id : crypto.randomUUID();
    /** @type {Entry} */
    const entry = { id, name, found, reading: true, summary: null, verdict: null, faults: [] };
    if (place >= 0) this.entries[place] = entry;
    else this.entries.push(entry);
    fresh.push(entry);
    if (fresh.length < 100) this.changed();
  }

  // --- asking

  /**
   * Ask for all entries. One question at a time: an earlier one that were answered last would be the newest offer.
   */
  async ask() {
    this.version += 1;
    for (const entry of this.entries) Object.assign(entry, { verdict: null, faults: [] });
    this.error = null;
    if (this.reads) return this.become("reading"); // It is asked when that is over.
    if (!this.entries.length) return this.become("empty");
    if (this.entries.some((entry) => entry.found.faults.length)) return this.become("faulty");
    this.become("asking");
    if (this.asking) return undefined;
    this.asking = true;
    try {
      while (this.state === "asking") await this.askOnce(this.version);
    } finally {
      this.asking = false;
    }
    return undefined;
  }

  async askOnce(version) {
    try {
      const offer = await written(this.entries.map(({ id, found }) => ({ id, node: found.node })));
      if (version !== this.version) return;
      const answer = await post("/offers", offer);
      if (version === this.version) this.told(answer);
      else if (!this.entries.length) remove(`/offers/${answer.id}`).catch(() => {}); // nobody wants it any more
    } catch (error) {
      if (version === this.version) this.failed(error);
    }
  }

  told(answer) {
    const verdicts = new Map(answer.files.map((verdict) => [verdict.id, verdict]));
    for (const entry of this.entries) entry.verdict = verdicts.get(entry.id) ?? null;
    this.answer = answer;
    this.become("told");
  }

  failed(error) {
    if (error instanceof Refusal) {
      const byId = new Map(this.entries.map((entry) => [entry.id, entry]));
      for (const { id, path, reason } of error.details.faults ?? []) byId.get(id)?.faults.push({ path, reason });
    }
    this.error = error;
    this.become("failed");
  }

  become(state) {
    this.state = state;
    this.changed();
  }
}
