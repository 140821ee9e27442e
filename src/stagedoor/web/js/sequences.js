/**
 * Hundreds of frames in one line, gaps named: the lines of the command line (`cli/screen/sequences.py`).
 *
 * Rules
 * 1. Every file is in exactly one group: counts and sizes of the groups add up to those of the folder.
 * 2. Files of one folder that differ in a number are a sequence from two neighbours, or three members, on. Version
 *    numbers (`_v002`) are not frames; numbers of more than 15 digits are not counted with.
 * 3. Frames on twos or any other even step have no gaps.
 */
import { bytes, counted, number } from "./words.js";

/**
 * Files that are told in one line.
 *
 * @typedef {object} Group
 * @property {string} name      `shot.[1001-1240].exr`
 * @property {number} files
 * @property {number} size      bytes
 * @property {boolean} frames
 * @property {string} missing   `1043, 1101-1103`; empty where there is no gap
 * @property {number} first     frame
 * @property {number} last      frame
 * @property {[number, number][]} gaps  first and last frame of each
 * @property {(first: number, last: number) => string} part  the name of some of its frames
 */

/** @typedef {{name: string, size: number, frame: string, number: number, grouped: boolean}} Item */
/** Files that differ in a number at most. @typedef {{base: string, extension: string, items: Item[]}} Family */

const GAPS_NAMED = 6;
const VERSION = /(?:^|[._\- ])v$/i;
const WORD = /^[\p{L}\p{N}_]*$/u;
const DIGITS = 15;
/** Files that are looked at between two rests. */
const SOME = 500;

/** Takes names one by one, and sums them up in steps, so that whoever has very many can rest between. */
export class Sequences {
  constructor() {
    /** @type {Map<string, Item>} */
    this.items = new Map();
    /** @type {Map<string, Family>} */
    this.families = new Map();
  }

  /** @param {string} name @param {number} size */
  add(name, size) {
    if (this.items.has(name)) return;
    const [base, frame, extension] = split(name);
    const item = { name, size, frame, number: 0, grouped: false };
    this.items.set(name, item);
    if (!frame || frame.length > DIGITS) return;
    item.number = Number(frame);
    const key = `${base}/${extension}`;
    const family = this.families.get(key);
    if (family) family.items.push(item);
    else this.families.set(key, { base, extension, items: [item] });
  }

  /** @returns {Group[]} sequences first, then the files that are in none */
  groups() {
    /** @type {Group[]} */
    const found = [];
    for (const _ of this.steps(found));
    return found;
  }

  /** The same, with a rest after each step. @param {Group[]} found where they go */
  *steps(found) {
    for (const family of this.families.values()) {
      for (const items of VERSION.test(family.base) ? [] : sameWidth(family.items)) {
        yield;
        const group = yield* sequence(family, items);
        if (group) found.push(group);
      }
    }
    let looked = 0;
    for (const item of this.items.values()) {
      if (!item.grouped) found.push(single(item));
      if ((looked += 1) % SOME === 0) yield;
    }
  }
}

/** The groups of one folder. @param {Iterable<[string, number]>} files names and sizes */
export function groups(files) {
  const made = new Sequences();
  for (const [name, size] of files) made.add(name, size);
  return made.groups();
}

/** "240 frames, 3.1 GB". @param {Group} group */
export function amount({ files, frames, size }) {
  return frames ? `${counted(files, "frame")}, ${bytes(size)}` : bytes(size);
}

/** Names, those of frames that follow one another in one: these files and no others. @param {string[]} names */
export function named(names) {
  return groups([...new Set(names)].map((name) => [name, 0])).flatMap((group) => (group.gaps.length ? unbroken(group) : [group.name]));
}

/** What lies between the gaps. @param {Group} group */
function unbroken({ first, last, gaps, part }) {
  const firsts = [first, ...gaps.map(([, end]) => end + 1)];
  const lasts = [...gaps.map(([start]) => start - 1), last];
  return firsts.map((from, index) => part(from, lasts[index]));
}

/**
 * "shot.", "1001", ".exr": the last number before what looks like extensions. A name has one such reading: extensions
 * are taken from the end, as long as each looks like one; only the last may be anything.
 */
function split(name) {
  let end = name.length;
  let dot = name.lastIndexOf(".");
  if (dot >= 0 && dot < end - 1) {
    end = dot;
    while (end > 0 && (dot = name.lastIndexOf(".", end - 1)) >= 0 && isExtension(name, dot + 1, end)) end = dot;
  }
  let start = end;
  while (start > 0 && isDigit(name.charCodeAt(start - 1))) start -= 1;
  if (start < end && name[start - 1] === "-") start -= 1;
  return [name.slice(0, start), name.slice(start, end), name.slice(end)];
}

const isDigit = (code) => code >= 48 && code <= 57;
const isLetter = (code) => (code >= 97 && code <= 122) || (code >= 65 && code <= 90);

/** Letters, digits and `_`, of which the last or the last but one is a Latin letter. */
function isExtension(name, start, end) {
  const ends = isLetter(name.charCodeAt(end - 1)) || (end - 2 >= start && isLetter(name.charCodeAt(end - 2)));
  return ends && end > start && WORD.test(name.slice(start, end));
}

/** Frames of one padding each: `9, 10, 0011` are two. @param {Item[]} items */
function sameWidth(items) {
  const sorted = [...items].sort((a, b) => a.frame.length - b.frame.length);
  /** @type {Item[][]} */
  const found = [];
  let width = -1;
  for (const item of sorted) {
    if (width < 0 || (item.frame.length !== width && leastWidth(item) > width)) {
      width = item.frame.length;
      found.push([]);
    }
    found.at(-1).push(item);
  }
  return found;
}

const leastWidth = ({ frame, number: value }) => (frame.length === String(value).length ? 1 : frame.length);

/** Marks its members; null where these are no sequence. @param {Family} family @param {Item[]} items @returns {Generator<undefined, Group | null>} */
function* sequence({ base, extension }, items) {
  const width = items[0].frame.length;
  items.sort((a, b) => a.number - b.number);
  if (items.length < 2 || (items.length === 2 && items[1].number - items[0].number !== 1)) return null;
  for (let index = 0; index < items.length; index += 1) {
    if (items[index].frame !== padded(items[index].number, width)) return null;
    if (index % SOME === 0) yield;
  }
  let size = 0;
  for (const item of items) {
    size += item.size;
    item.grouped = true;
  }
  const frames = items.map((item) => item.number);
  const step = stepOf(frames);
  const [first, last] = [frames[0], frames.at(-1)];
  const span = `${padded(first, width)}-${padded(last, width)}${step > 1 ? `x${step}` : ""}`;
  const gaps = step ? [] : gapsOf(frames);
  const part = (from, to) => `${base}${from === to ? padded(from, width) : `[${padded(from, width)}-${padded(to, width)}]`}${extension}`;
  return { name: `${base}[${span}]${extension}`, files: frames.length, size, frames: true, missing: spoken(gaps, width), first, last, gaps, part };
}

/** @returns {Group} */
function single({ name, size }) {
  return { name, files: 1, size, frames: false, missing: "", first: 0, last: 0, gaps: [], part: () => name };
}

/** The step of an even sequence, 0 of an uneven one. */
function stepOf(frames) {
  const step = frames[1] - frames[0];
  for (let index = 2; index < frames.length; index += 1) if (frames[index] - frames[index - 1] !== step) return 0;
  return step;
}

/** @returns {[number, number][]} */
function gapsOf(frames) {
  /** @type {[number, number][]} */
  const gaps = [];
  for (let index = 1; index < frames.length; index += 1) {
    if (frames[index] - frames[index - 1] > 1) gaps.push([frames[index - 1] + 1, frames[index] - 1]);
  }
  return gaps;
}

function spoken(gaps, width) {
  const words = gaps.slice(0, GAPS_NAMED).map(([first, last]) => padded(first, width) + (last > first ? `-${padded(last, width)}` : ""));
  const further = gaps.slice(GAPS_NAMED).reduce((sum, [first, last]) => sum + last - first + 1, 0);
  return words.join(", ") + (further ? ` and ${number(further)} more` : "");
}

function padded(frame, width) {
  return frame < 0 ? `-${String(-frame).padStart(width - 1, "0")}` : String(frame).padStart(width, "0");
}
