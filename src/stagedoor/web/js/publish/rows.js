/** The entries that are offered, one row each: what they hold, what the studio says, what to do. */
import { breakable, fill, h, icon } from "../dom.js";
import { groups } from "../sequences.js";
import { findings } from "../ui/findings.js";
import { later } from "../ui/later.js";
import { tree } from "../ui/tree.js";
import { bytes, counted, number } from "../words.js";
import { contents } from "./contents.js";

/** @typedef {import("./offering.js").Entry} Entry @typedef {import("./offering.js").Offering} Offering */

/** So many are drawn at first, and more with each wish. */
const SHOWN = 200;
/** So many single files may be meant as one entry. */
const MANY_LOOSE = 10;

/** Keeps a row for each entry that is drawn; it is drawn anew where its entry changed. What is wrong is always among them. */
export class Rows {
  /** @param {Offering} offering @param {(entries: Entry[]) => void} remove */
  constructor(offering, remove) {
    this.offering = offering;
    this.remove = remove;
    this.list = h("ul", { class: "entries", "aria-label": "Entries" });
    this.more = h("button", { class: "button small", type: "button", hidden: true, on: { click: () => this.grow() } });
    this.hint = h("div", { class: "notice", hidden: true });
    this.element = h("div", {}, this.hint, this.list, this.more);
    this.most = SHOWN;
    this.looseTold = 0;
    /** @type {Map<string, {element: HTMLElement, amount: HTMLElement, drawn: string, entry: Entry}>} */
    this.rows = new Map();
  }

  draw() {
    const entries = this.drawn();
    const ids = new Set(entries.map((entry) => entry.id));
    for (const [id, { element }] of this.rows) {
      if (ids.has(id)) continue;
      element.remove();
      this.rows.delete(id);
    }
    entries.forEach((entry, index) => this.one(entry, index));
    this.list.hidden = !entries.length;
    this.tellMore(this.offering.entries.length - entries.length);
    this.tellLoose();
  }

  /** @returns {Entry[]} */
  drawn() {
    const { entries } = this.offering;
    if (!entries.length) this.most = SHOWN;
    if (entries.length <= this.most) return entries;
    const wrong = entries.slice(this.most).filter((entry) => entry.verdict?.rejected || entry.faults.length || entry.found.faults.length);
    return [...entries.slice(0, this.most), ...wrong.slice(0, SHOWN)];
  }

  /** The first of those that were added has the focus. */
  grow() {
    const next = this.offering.entries[this.most];
    this.most += SHOWN;
    this.draw();
    /** @type {HTMLElement | null | undefined} */ (this.rows.get(next?.id)?.element.querySelector("button"))?.focus();
  }

  /** @param {number} left */
  tellMore(left) {
    this.more.hidden = left <= 0;
    const words = `Show more (${number(left)} left)`;
    if (left > 0 && this.more.textContent !== words) fill(this.more, words);
  }

  /** @returns {Entry[]} */
  get loose() {
    return this.offering.entries.filter((entry) => !entry.found.node.is_dir);
  }

  /** Many frames of few sequences were meant as a folder, most likely. */
  tellLoose() {
    const { loose } = this;
    if (this.looseTold === loose.length) return;
    this.looseTold = loose.length;
    const are = loose.length >= MANY_LOOSE && groups(loose.map(({ name, found }) => [name, found.size])).length * 10 <= loose.length;
    this.hint.hidden = !are;
    if (!are) return;
    const away = h("button", { class: "button small", type: "button", on: { click: () => this.remove(this.loose) } }, "Remove these frames");
    fill(this.hint, h("p", {}, `These frames are ${number(loose.length)} entries, each by itself. Do they belong together? Then remove them and choose their folder instead: it is one entry.`), away);
  }

  /** @param {Entry} entry @param {number} index */
  one(entry, index) {
    let row = this.rows.get(entry.id);
    if (!row) {
      row = { element: h("li", { class: "entry" }), amount: h("span", { class: "muted nowrap" }), drawn: "", entry };
      this.rows.set(entry.id, row);
    }
    if (this.list.children[index] !== row.element) this.list.insertBefore(row.element, this.list.children[index] ?? null);
    const words = amount(entry);
    if (row.amount.textContent !== words) fill(row.amount, words);
    const looks = this.looks(entry);
    if (row.drawn === looks && row.entry === entry) return;
    Object.assign(row, { drawn: looks, entry });
    this.fill(row.element, row.amount, entry);
  }

  /** What decides how it looks, beside its numbers. */
  looks(entry) {
    return JSON.stringify([entry.reading, entry.verdict, entry.faults, entry.found.faults.length, this.offering.state === "asking"]);
  }

  fill(element, size, entry) {
    const inside = element.contains(document.activeElement);
    const verdict = this.verdict(entry);
    element.className = `entry ${verdict.kind}`;
    const away = h("button", { class: "button quiet icon", type: "button", "aria-label": `Remove ${entry.name}`, title: "Remove", on: { click: () => this.remove([entry]) } }, icon("cross"));
    const folder = entry.found.node.is_dir;
    fill(
      element,
      h("div", { class: "entry-head" }, icon(folder ? "folder" : "file"), h("h2", { class: "name" }, breakable(entry.name)), size, h("span", { class: `badge ${verdict.badge}` }, verdict.words), away),
      says(entry),
      contents(entry),
      folder && entry.summary && entry.found.node.files?.length ? later("All files", async () => tree(entry.found.node.files)) : null,
    );
    if (inside) away.focus({ preventScroll: true });
  }

  verdict(entry) {
    if (entry.reading) return { kind: "", badge: "busy", words: "Reading…" };
    if (entry.found.faults.length || entry.faults.length) return { kind: "refused", badge: "bad", words: "Cannot be offered" };
    if (this.offering.state === "asking") return { kind: "", badge: "busy", words: "Asking the studio…" };
    if (!entry.verdict) return { kind: "", badge: "", words: "Not checked" };
    if (entry.verdict.rejected) return { kind: "refused", badge: "bad", words: "Refused" };
    return entry.verdict.can_publish ? { kind: "", badge: "good", words: "Accepted" } : { kind: "upload-only", badge: "warn", words: "Upload only" };
  }
}

function amount({ found }) {
  return found.node.is_dir ? `${counted(found.files, "file")}, ${bytes(found.size)}` : bytes(found.size);
}

/** What was said about an entry. @param {Entry} entry */
function says({ verdict, found, faults }) {
  const local = list(found.faults, "Make these readable, then drop the entry again:");
  const server = list(faults, "Correct these on your disk, then drop the entry again:");
  if (!verdict) return [local, server];
  return h(
    "div",
    { class: "says" },
    verdict.ident ? h("p", { class: "ident" }, verdict.ident) : null,
    verdict.can_upload ? h("p", { class: "muted" }, "Not taken as a publish. It can be uploaded all the same, and the studio looks after it by hand.") : null,
    verdict.warning ? h("p", { class: "words warning" }, verdict.warning) : null,
    verdict.info ? h("p", { class: "words" }, verdict.info) : null,
    findings(verdict.findings),
    verdict.rejected ? h("p", { class: "muted small" }, "Correct it on your disk and give it again: it takes the place of this one. Or remove it.") : null,
  );
}

function list(faults, title) {
  if (!faults.length) return null;
  const shown = faults.slice(0, 50);
  const further = faults.length - shown.length;
  return h(
    "div",
    { class: "says" },
    h("p", { class: "words warning" }, title),
    h("ul", {}, shown.map(({ path, reason }) => h("li", {}, h("span", { class: "mono" }, path), ` ${reason}`)), further ? h("li", { class: "muted" }, `and ${counted(further, "more", "more")}`) : null),
  );
}
