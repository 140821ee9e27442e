/**
 * The publish page: unfinished uploads, uploads of this tab, and what is to be published next.
 *
 * What is offered and what is typed outlive a look at other pages; what is typed outlives a reload, too.
 */
import { post, Refusal } from "../api.js";
import { fill, h, icon } from "../dom.js";
import { guidelines } from "../guidelines.js";
import { Card } from "../publish/cards.js";
import { Continuing } from "../publish/continuing.js";
import { Draft } from "../publish/draft.js";
import { Form } from "../publish/form.js";
import { Offering } from "../publish/offering.js";
import { pickers, takesDrops } from "../publish/picking.js";
import { Rows } from "../publish/rows.js";
import { readDrop, readFiles, readHandle } from "../scan/find.js";
import { filesOf } from "../scan/tree.js";
import { goOn } from "../upload/unfinished.js";
import { begin, limit, onTransfers, setLimit, transfers } from "../upload/transfers.js";
import { ask } from "../ui/dialog.js";
import { field } from "../ui/field.js";
import { sorry } from "../ui/sorry.js";
import { spokenChanges } from "../upload/match.js";
import { bytes, counted } from "../words.js";

export const title = "Publish";

/** What outlives a look at other pages. @type {{user: string, offering: Offering, draft: Draft} | null} */
let kept = null;
let changed = () => {};

const GONE = new Set(["offer_superseded", "offer_expired", "offer_closed", "offer_withdrawn", "entry_unknown", "entries_mixed"]);

export async function show(page) {
  if (!isSecureContext) return insecure(page.main);
  if (kept?.user !== page.me.id) kept = { user: page.me.id, offering: new Offering(() => changed()), draft: new Draft(page.me.id) };
  const view = new View(page, kept.offering, kept.draft);
  changed = () => view.draw();
  page.signal.addEventListener("abort", () => (changed = () => {}));
  view.draw();
  view.drawTransfers();
  onTransfers(() => view.drawTransfers(), page.signal);
  const job = page.query.get("job");
  return view.continuing.load(() => job && view.lookAt(job));
}

/** Without TLS browsers give neither digests nor file handles. */
function insecure(main) {
  fill(main, h("h1", {}, "Publish"), h("p", { class: "notice warn" }, "This page was opened over http. Browsers let a page send files safely only over https: ask the studio for its https address, or use the command line, ", h("code", {}, "stagedoor publish"), "."));
}

class View {
  /** @param {any} page @param {Offering} offering @param {Draft} draft */
  constructor(page, offering, draft) {
    this.page = page;
    this.offering = offering;
    this.draft = draft;
    this.continuing = new Continuing(page);
    this.rows = new Rows(offering, (entries) => this.remove(entries));
    /** @type {Map<string, Card>} */
    this.cards = new Map();
    this.transfers = h("div", { class: "transfers" });
    this.limit = h("div", {});
    this.zone = h("section", { class: "drop", "aria-label": "Files and folders to publish" });
    this.status = h("p", { class: "status", role: "status" });
    this.counts = h("p", { class: "muted counts" });
    this.trouble = h("div", {});
    this.guidelines = h("div", {});
    this.answers = h("div", {});
    this.submitting = h("div", { class: "submit" });
    this.refusal = h("div", { role: "alert" });
    /** @type {Form | null} */
    this.form = null;
    this.formLooks = "";
    this.sending = false;
    this.lay();
  }

  lay() {
    const { main, signal } = this.page;
    const ways = {
      picked: (files) => void this.take(picked(files), (begun) => readFiles(files, begun)),
      pickedHandle: (handle) => void this.take([handle.name], (begun) => readHandle(handle, begun)),
    };
    fill(this.zone, icon("upload"), h("p", { class: "by-mouse" }, "Drop files and folders anywhere on this page, or"), h("p", { class: "by-finger" }, "Choose what you want to publish."), pickers(ways, { primary: true }), emptyFolders(), h("p", { class: "muted small first" }, "The studio checks names and sizes first. Nothing is sent until you press Publish."));
    fill(main, h("h1", { tabindex: "-1" }, "Publish"), this.continuing.says, this.continuing.element, this.transfers, this.limit, this.zone, this.status, this.counts, this.trouble, this.rows.element, this.guidelines, this.answers, this.refusal, this.submitting);
    takesDrops(document, this.zone, (transfer) => this.dropped(transfer), signal);
  }

  // --- coming in

  dropped(transfer) {
    const names = [...transfer.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry?.()?.name ?? item.getAsFile?.()?.name ?? "");
    // The browser forgets the drop when this is over: reading begins before anything is asked.
    const found = [];
    const reading = readDrop(transfer, (one) => found.push(one));
    void this.take(names, (begun) => handOver(found, reading, begun));
  }

  /** @param {string[]} names @param {(begun: (found: any) => void) => Promise<unknown>} reader */
  async take(names, reader) {
    const one = this.continuing.of(names.map((name) => name.normalize("NFC")));
    if (!one) return this.offering.read(reader);
    const title = "Continue the unfinished upload?";
    const goesOn = await ask({ title, text: `${names.join(", ")} belongs to an upload that is not finished. What has arrived of it is not sent again.`, yes: "Continue it", no: "Publish it anew" });
    if (!goesOn) return this.offering.read(reader);
    return this.goOnWith(one, reader);
  }

  /** What was dropped or picked belongs to an unfinished job. */
  async goOnWith(one, reader) {
    const found = [];
    fill(this.refusal);
    try {
      await reader((each) => found.push(each));
      const changes = await goOn(one, found);
      if (changes.length) fill(this.refusal, h("p", { class: "notice bad" }, "It cannot go on with these: ", spokenChanges(changes), "."));
      else await this.continuing.load();
    } catch (error) {
      fill(this.refusal, sorry(error, () => void this.goOnWith(one, async (begun) => found.forEach(begun))));
    }
  }

  /** Somebody comes from the page of a job to go on with it. @param {string} job */
  lookAt(job) {
    const title = document.getElementById(`transfer-${job}`) ?? document.getElementById(`unfinished-${job}`);
    if (!title) return void fill(this.continuing.says, h("p", { class: "notice" }, "There is nothing to send for this job. ", h("a", { href: `/jobs/${job}` }, "Open the job"), "."));
    title.scrollIntoView({ block: "center" });
    title.focus({ preventScroll: true });
  }

  /** @param {import("../publish/offering.js").Entry[]} gone */
  remove(gone) {
    const left = this.offering.entries.filter((entry) => !gone.includes(entry));
    const next = left[this.offering.entries.indexOf(gone[0])] ?? left.at(-1);
    void this.offering.remove(gone);
    const row = next && this.rows.rows.get(next.id);
    (row?.element.querySelector("button") ?? this.zone.querySelector("button"))?.focus();
  }

  // --- drawing

  draw() {
    const { offering } = this;
    this.zone.classList.toggle("small", offering.entries.length > 0);
    this.rows.draw();
    const told = spoken(offering);
    if (this.status.textContent !== told) fill(this.status, told);
    fill(this.counts, counts(offering));
    this.drawTrouble();
    this.drawAnswer();
  }

  drawTrouble() {
    const { error, unread } = this.offering;
    if (this.shownTrouble === (error ?? unread)) return;
    this.shownTrouble = error ?? unread;
    const listed = error instanceof Refusal && error.code === "manifest_refused";
    const told = listed ? error.message : unread;
    fill(this.trouble, error && !listed ? sorry(error, () => void this.offering.ask()) : told && h("p", { class: "notice bad", role: "alert" }, told));
  }

  drawAnswer() {
    const { offering } = this;
    const { answer, state } = offering;
    if (!offering.entries.length) this.form = null;
    else if (state === "told") this.refresh(answer);
    const words = offering.entries.length && answer?.guidelines;
    if (this.shownGuidelines !== words) fill(this.guidelines, words ? h("section", { class: "card guidelines", "aria-labelledby": "guidelines-title" }, h("h2", { id: "guidelines-title" }, "The studio's guidelines"), guidelines(words)) : null);
    this.shownGuidelines = words;
    if (!this.form) fill(this.answers);
    this.drawSubmit();
  }

  /** The form for what was told; the same one where it would be no other. */
  refresh(answer) {
    const { comment, time_report, metadata, statuses, tasks } = answer;
    const going = this.offering.going;
    const looks = JSON.stringify([comment, time_report, metadata, statuses, tasks, going.map(({ id, verdict }) => [id, verdict.can_publish, verdict.comment_label, verdict.ident])]);
    if (this.form && looks === this.formLooks) {
      this.form.keep(answer, going);
      return;
    }
    this.formLooks = looks;
    const focused = this.answers.contains(document.activeElement) ? document.activeElement.id : "";
    this.form = new Form(answer, going, this.draft);
    fill(this.answers, this.form.element);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  drawSubmit() {
    const { offering } = this;
    const { going, refused, state } = offering;
    const looks = JSON.stringify([state, going.map(({ id, found }) => [id, found.size]), refused.length, offering.leavesOutRefused, this.sending, this.form?.asks]);
    if (looks === this.submitLooks) return;
    this.submitLooks = looks;
    const focused = this.submitting.contains(document.activeElement) ? document.activeElement.id : "";
    fill(this.submitting, state === "told" && (going.length || refused.length) ? this.submitParts(going, refused) : null);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  submitParts(going, refused) {
    const { offering } = this;
    if (!going.length) return h("p", { class: "notice warn" }, "Nothing of this can be sent. Correct it on your disk and drop it again; the studio's words above say what is wrong.");
    const stops = refused.length > 0 && !offering.leavesOutRefused;
    const size = going.reduce((sum, entry) => sum + entry.found.size, 0);
    const verb = going.some((entry) => entry.verdict.can_publish) ? "Publish" : "Upload";
    const words = this.sending ? "One moment…" : `${verb} ${counted(going.length, "entry", "entries")}, ${bytes(size)}`;
    // Not `disabled`: that would lose the focus.
    const button = h("button", { class: "button primary", type: "button", id: "submit", "aria-disabled": String(stops || this.sending), "aria-describedby": stops ? "stops" : null, on: { click: () => void (stops || this.submit()) } }, words);
    return [refused.length ? this.leaving(refused) : null, uploadOnly(going, verb), h("div", { class: "row" }, button, stops ? h("span", { class: "muted small", id: "stops" }, "One refused entry stops all.") : null)];
  }

  leaving(refused) {
    const box = h("input", { type: "checkbox", id: "leave-out", checked: this.offering.leavesOutRefused });
    box.addEventListener("change", () => {
      this.offering.leavesOutRefused = box.checked;
      this.drawSubmit();
    });
    return h("label", { class: "tick", for: "leave-out" }, box, `Leave out the refused (${refused.map(({ name }) => name).slice(0, 5).join(", ")}${refused.length > 5 ? ", …" : ""}) and send the others`);
  }

  // --- submitting

  async submit() {
    if (this.sending || !this.form.check()) return;
    // What is sent is what is asked for now: while the server answers, entries can come and go.
    const { going } = this.offering;
    const entries = [...this.offering.entries];
    const sources = sourcesOf(going);
    this.sending = true;
    fill(this.refusal);
    this.drawSubmit();
    try {
      this.begun(await post("/jobs", this.request(going)), sources, entries);
    } catch (error) {
      this.notSubmitted(error);
    } finally {
      this.sending = false;
      this.drawSubmit();
    }
  }

  request(going) {
    const tasks = going.map((entry) => ({ id: entry.id, source: entry.name }));
    return { tasks, hooks: [{ when: "publish-server", data: { files: this.form.collect() } }], client: "page" };
  }

  begun(job, { sources, handles }, entries) {
    begin(job, sources, handles);
    this.draft.clear();
    this.form = null;
    void this.offering.submitted(entries);
    document.getElementById(`transfer-${job.id}`)?.focus();
  }

  notSubmitted(error) {
    const atFields = error instanceof Refusal && error.code === "answers_refused" && this.form?.refused(error.details.faults ?? []);
    const gone = error instanceof Refusal && GONE.has(error.code);
    const shown = atFields ? h("p", { class: "notice bad" }, "Some answers are missing or wrong; see the form.") : sorry(error);
    fill(this.refusal, gone ? h("p", { class: "notice warn" }, `${error.message} The studio is asked again now; what you typed is still there.`) : shown);
    if (gone) void this.offering.ask();
  }

  // --- transfers

  drawTransfers() {
    for (const [id, card] of this.cards) {
      if (transfers.includes(card.transfer)) continue;
      card.element.remove();
      this.cards.delete(id);
    }
    transfers.forEach((transfer, index) => this.transfer(transfer, index));
    const wanted = transfers.some((transfer) => !["over", "arrived"].includes(transfer.state));
    if (wanted !== Boolean(this.limit.childElementCount)) fill(this.limit, wanted ? limitField() : null);
  }

  transfer(transfer, index) {
    let card = this.cards.get(transfer.job.id);
    if (card?.transfer !== transfer) {
      card?.element.remove();
      card = new Card(transfer);
      this.cards.set(transfer.job.id, card);
    }
    if (this.transfers.children[index] !== card.element) this.transfers.insertBefore(card.element, this.transfers.children[index] ?? null);
    card.draw();
  }
}

/** What is sent of these, by id, as it was checked. @param {import("../publish/offering.js").Entry[]} going */
function sourcesOf(going) {
  const sources = new Map();
  /** @type {Record<string, FileSystemHandle>} */
  const handles = {};
  for (const { id, found } of going) {
    const leaves = [...filesOf(found.node)].map(([, leaf]) => leaf);
    sources.set(id, { sizes: leaves.map((leaf) => leaf.size), files: leaves.map((leaf) => leaf.file) });
    if (found.handle) handles[id] = found.handle;
  }
  return { sources, handles };
}

/** First names of what was picked. @param {File[]} files */
function picked(files) {
  return [...new Set(files.map((file) => (file.webkitRelativePath || file.name).split("/")[0]))];
}

/** What is being read already, and the rest of it as it comes. */
async function handOver(found, reading, begun) {
  const told = new Set();
  const tell = () => found.filter((one) => !told.has(one)).forEach((one) => (told.add(one), begun(one)));
  tell();
  await Promise.resolve().then(tell);
  const ticking = setInterval(tell, 50);
  try {
    await reading;
  } finally {
    clearInterval(ticking);
    tell();
  }
}

function emptyFolders() {
  if ("showDirectoryPicker" in globalThis) return null;
  return h("p", { class: "muted small" }, "This browser tells of empty folders only where they are dropped.");
}

/** @param {Offering} offering */
function spoken({ state, entries, accepted, refused, going, size }) {
  if (state === "reading") return "Reading…";
  if (state === "asking") return `Asking the studio about ${counted(entries.length, "entry", "entries")}…`;
  if (state === "faulty") return "Some files cannot be read.";
  if (state !== "told") return "";
  const only = going.length - accepted.length;
  const words = [accepted.length ? `${accepted.length} accepted` : "", only ? `${only} upload only` : "", refused.length ? `${refused.length} refused` : ""].filter(Boolean);
  return `${words.join(", ")}; ${bytes(size)} in all.`;
}

/** @param {Offering} offering */
function counts(offering) {
  const { state, junk } = offering;
  const reading = state === "reading" ? `${counted(offering.files, "file")}, ${bytes(offering.size)} so far` : "";
  const left = junk ? `${counted(junk, "junk file")} left out (.DS_Store, Thumbs.db and the like)` : "";
  return [reading, left].filter(Boolean).join("; ");
}

function uploadOnly(going, verb) {
  const only = going.filter((entry) => entry.verdict.can_upload);
  if (!only.length || verb === "Upload") return null;
  return h("p", { class: "muted" }, `${only.map(({ name }) => name).join(", ")} is sent too, but is not a publish. Remove it if you do not want that.`);
}

function limitField() {
  const rate = limit();
  const input = h("input", { type: "number", min: "0", step: "0.1", inputmode: "decimal", value: rate ? String(rate / 1e6) : "", placeholder: "none" });
  input.addEventListener("change", () => setLimit(Math.max(0, Number(input.value) || 0) * 1e6));
  return h("details", { class: "limit" }, h("summary", { class: "muted small" }, "Speed limit"), field("At most, in MB/s", input, { hint: "For the uploads of this browser. Empty: as fast as it goes." }).element);
}
