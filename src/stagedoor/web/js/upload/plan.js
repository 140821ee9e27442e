/**
 * Which bytes go into the next part.
 *
 * Rules
 * 1. A part is about three seconds of what its connection carries, so that little is lost when the line breaks and
 *    progress is seen; before anything is known, 1 MiB.
 * 2. It is at most an equal share of what is left, so that all connections end together.
 * 3. It is never below 256 KiB unless fewer bytes are left, nor above what the server takes or 16 MiB.
 * 4. A part lies within one upload and within one missing range.
 *
 * @typedef {{upload: string, start: number, end: number}} Part  half-open
 */
const MIB = 1024 * 1024;
export const SMALLEST = MIB / 4;
export const LARGEST = 16 * MIB;
const FIRST = MIB;
const SECONDS = 3;

export class Plan {
  /** @param {number} connections */
  constructor(connections) {
    this.connections = connections;
    this.most = LARGEST;
    /** @type {Part[]} */
    this.ranges = [];
    /** @type {Map<string, number>} */
    this.largest = new Map();
    this.remaining = 0;
  }

  /** @param {string} upload @param {[number, number][]} missing @param {number} largest */
  add(upload, missing, largest) {
    this.largest.set(upload, largest);
    for (const [start, end] of missing) this.ranges.push({ upload, start, end });
    this.count();
  }

  /** The next part; null when all is handed out. @param {number} rate bytes per second of the connection; 0: not known @returns {Part | null} */
  take(rate) {
    const range = this.ranges[0];
    if (!range) return null;
    const size = this.size(range, rate);
    const part = { upload: range.upload, start: range.start, end: range.start + size };
    range.start = part.end;
    if (range.start >= range.end) this.ranges.shift();
    this.remaining -= size;
    return part;
  }

  size(range, rate) {
    const share = Math.ceil(this.remaining / this.connections);
    const largest = Math.min(this.largest.get(range.upload), this.most, LARGEST);
    const wanted = Math.min(Math.max(SMALLEST, Math.min(share, rate ? Math.floor(rate * SECONDS) : FIRST)), largest);
    const left = range.end - range.start;
    // A few bytes more are better than a part of a few bytes.
    return left - wanted < SMALLEST / 4 && left <= largest ? left : Math.min(wanted, left);
  }

  /** What was taken and did not get through. @param {Part} part */
  giveBack(part) {
    this.ranges.unshift({ ...part });
    this.count();
  }

  /** The first half of what did not get through; the rest is handed out later. @param {Part} part @returns {Part} */
  halve(part) {
    const size = part.end - part.start;
    if (size < 2 * SMALLEST) return part;
    const middle = part.start + Math.floor(size / 2);
    this.giveBack({ ...part, start: middle });
    return { ...part, end: middle };
  }

  /** From now on no part of this upload is larger. */
  smaller(upload, size) {
    this.largest.set(upload, Math.max(1, Math.min(this.largest.get(upload), size)));
  }

  /** Hand out no more of this upload. */
  drop(upload) {
    this.ranges = this.ranges.filter((range) => range.upload !== upload);
    this.count();
  }

  count() {
    this.remaining = this.ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  }
}

/** What of a part is still missing. @param {Part} part @param {[number, number][]} missing @returns {Part[]} */
export function left(part, missing) {
  return missing
    .map(([start, end]) => ({ ...part, start: Math.max(start, part.start), end: Math.min(end, part.end) }))
    .filter(({ start, end }) => start < end);
}
