/**
 * What the user typed, kept in this browser until it is submitted: by the names of entries, so that a corrected entry
 * has the answers of the one it replaces.
 *
 * @typedef {{comment: string, time: string, status: string, task: string, metadata: [string, string][]}} Answers
 */
const EMPTY = { comment: "", time: "", status: "", task: "", metadata: [] };

export class Draft {
  /** @param {string} user whose it is */
  constructor(user) {
    this.key = `publish-draft-${user}`;
    const kept = read(this.key);
    /** Whether all entries have the same answers. */
    this.same = kept?.same ?? true;
    /** @type {Answers} */
    this.shared = { ...EMPTY, ...kept?.shared };
    /** @type {Record<string, Answers>} */
    this.each = kept?.each ?? {};
  }

  /** To be changed in place, then `keep()`. @param {string} name of an entry @returns {Answers} */
  of(name) {
    this.each[name] ??= { ...this.shared, metadata: this.shared.metadata.map(([key, value]) => [key, value]) };
    return this.each[name];
  }

  keep() {
    write(this.key, { same: this.same, shared: this.shared, each: this.each });
  }

  /** It is submitted. */
  clear() {
    this.same = true;
    this.shared = { ...EMPTY, metadata: [] };
    this.each = {};
    write(this.key, null);
  }
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null; // Storage can be closed to us, or hold what another version wrote.
  }
}

function write(key, value) {
  try {
    if (value) localStorage.setItem(key, JSON.stringify(value));
    else localStorage.removeItem(key);
  } catch {
    // It holds until the page is left, then.
  }
}
