/**
 * What the studio asks for: comment, time, status, production task, metadata; once for all entries, or entry by entry.
 *
 * Rules
 * 1. What is typed is in the draft at once; the form can be made anew at any time and shows the same.
 * 2. What is missing or wrong stands at its field; the first such field is focused.
 * 3. A production task is asked for where the studio could not tell by itself what an entry is.
 * 4. It shows what the studio has said last, also while the studio is asked anew.
 */
import { fill, h, icon } from "../dom.js";
import { field } from "../ui/field.js";
import { secondsOf } from "../words.js";

/** @typedef {import("./draft.js").Answers} Answers @typedef {import("./offering.js").Entry} Entry */

/** Tasks up to here are a list to choose from; more can be searched. */
const LISTED = 12;
/** So many labels of one field are named. */
const LABELS = 3;

export class Form {
  /**
   * @param {any} answer  of the studio, to the offer
   * @param {Entry[]} entries  that will be sent
   * @param {import("./draft.js").Draft} draft
   */
  constructor(answer, entries, draft) {
    this.keep(answer, entries);
    this.draft = draft;
    /** Fields by group ("" for all) and name. @type {Map<string, any>} */
    this.fields = new Map();
    this.asks = Boolean(answer.comment || answer.time_report || answer.metadata || answer.statuses?.length || answer.tasks?.length);
    this.element = h("section", { class: "answers", "aria-labelledby": "answers-title" });
    this.draw();
  }

  /** Copies: an entry that is asked about anew has no verdict. @param {any} answer @param {Entry[]} entries */
  keep(answer, entries) {
    this.answer = answer;
    this.entries = entries.map((entry) => ({ ...entry }));
  }

  get same() {
    return this.draft.same || this.entries.length < 2;
  }

  draw() {
    this.fields.clear();
    if (!this.asks || !this.entries.length) return fill(this.element);
    const groups = this.same ? [this.group("", this.draft.shared, this.entries)] : this.entries.map((entry) => this.entryGroup(entry));
    return fill(this.element, h("h2", { id: "answers-title" }, "What the studio asks you"), this.entries.length > 1 ? this.choice() : null, groups);
  }

  choice() {
    const box = h("input", { type: "checkbox", id: "same-for-all", checked: this.draft.same });
    box.addEventListener("change", () => {
      this.draft.same = box.checked;
      this.draft.keep();
      this.draw();
      document.getElementById("same-for-all")?.focus();
    });
    return h("label", { class: "tick same", for: "same-for-all" }, box, "The same for all entries");
  }

  entryGroup(entry) {
    return h("fieldset", { class: "entry-answers" }, h("legend", {}, entry.name), this.group(entry.id, this.draft.of(entry.name), [entry]));
  }

  /** @param {string} key @param {Answers} answers @param {Entry[]} entries whose answers these are */
  group(key, answers, entries) {
    const { answer } = this;
    const must = entries.some((entry) => entry.verdict.can_publish);
    return h(
      "div",
      { class: "answer-group" },
      answer.comment ? this.text(key, "comment", commentLabel(entries), answers, "comment", h("textarea", { rows: "3" }), must) : null,
      h(
        "div",
        { class: "answer-row" },
        answer.time_report ? this.time(key, answers, must, entries.length > 1) : null,
        answer.statuses?.length ? this.status(key, answers) : null,
        answer.tasks?.length && entries.some(asksTask) ? this.task(key, answers) : null,
      ),
      answer.metadata ? this.metadata(key, answers) : null,
    );
  }

  text(key, name, label, answers, property, input, must, more = {}) {
    input.id = `answer-${key || "all"}-${name}`;
    input.value = answers[property];
    if (must) input.setAttribute("aria-required", "true");
    const made = field(label, input, { optional: !must, ...more });
    input.addEventListener("input", () => {
      answers[property] = input.value;
      made.wrong("");
      this.draft.keep();
    });
    this.fields.set(`${key}/${name}`, made);
    return made.element;
  }

  time(key, answers, must, many) {
    const input = h("input", { inputmode: "text", placeholder: "h:mm", autocomplete: "off", size: "8" });
    return this.text(key, "time_report", "Time spent", answers, "time", input, must, { hint: many ? "As h:mm, such as 1:30; counted for each entry." : "As h:mm, such as 1:30." });
  }

  status(key, answers) {
    const { statuses } = this.answer;
    const standard = statuses.find((status) => status.default);
    if (!statuses.some((status) => status.value === answers.status)) answers.status = standard?.value ?? "";
    const options = statuses.map((status) => h("option", { value: status.value }, status.label));
    const none = standard ? null : h("option", { value: "" }, "Choose…");
    return this.text(key, "status", "Status", answers, "status", h("select", {}, none, options), true);
  }

  task(key, answers) {
    const { tasks } = this.answer;
    if (tasks.length <= LISTED) {
      if (!tasks.includes(answers.task)) answers.task = "";
      const options = tasks.map((task) => h("option", { value: task }, task));
      return this.text(key, "task", "Production task", answers, "task", h("select", {}, h("option", { value: "" }, "None of these"), options), false);
    }
    const list = h("datalist", { id: `tasks-${key || "all"}` }, tasks.map((task) => h("option", { value: task })));
    const input = h("input", { list: list.id, autocomplete: "off" });
    return h("div", {}, this.text(key, "task", "Production task", answers, "task", input, false, { hint: "Type a part of its name." }), list);
  }

  metadata(key, answers) {
    const rows = h("div", { class: "pairs" });
    const says = h("div", { class: "wrong", role: "alert", hidden: true });
    const keep = () => {
      says.hidden = true;
      this.draft.keep();
    };
    const row = (pair) => this.pair(pair, answers, rows, keep);
    fill(rows, answers.metadata.map(row));
    const add = h("button", { class: "button small", type: "button", id: `answer-${key || "all"}-metadata` }, "Add a line");
    add.addEventListener("click", () => {
      /** @type {[string, string]} */
      const pair = ["", ""];
      answers.metadata.push(pair);
      rows.append(row(pair));
      rows.lastElementChild.querySelector("input").focus();
    });
    const wrong = (text) => {
      says.hidden = !text;
      fill(says, text);
    };
    this.fields.set(`${key}/metadata`, { wrong, input: add });
    return h("fieldset", { class: "field" }, h("legend", { class: "label" }, "Metadata ", h("span", { class: "muted small" }, "(optional)")), rows, says, h("div", {}, add));
  }

  pair(pair, answers, rows, keep) {
    const cell = (index, label) =>
      h("input", { "aria-label": label, placeholder: label, value: pair[index], on: { input: (event) => ((pair[index] = event.target.value), keep()) } });
    const away = h("button", { class: "button quiet icon", type: "button", "aria-label": "Remove this line", title: "Remove this line" }, icon("cross"));
    const element = h("div", { class: "pair" }, cell(0, "Name"), cell(1, "Value"), away);
    away.addEventListener("click", () => {
      answers.metadata.splice(answers.metadata.indexOf(pair), 1);
      (element.nextElementSibling ?? element.previousElementSibling ?? rows.parentElement.querySelector(".button.small"))?.querySelector("input")?.focus();
      element.remove();
      keep();
    });
    return element;
  }

  // --- reading

  /** Whether all is answered; what is not is said at its field. */
  check() {
    const faults = [];
    for (const [key, answers, must] of this.groups()) {
      const { comment, time_report, statuses, tasks } = this.answer;
      if (must && comment && !answers.comment.trim()) faults.push([key, "comment", "Enter a comment."]);
      if (time_report) faults.push(...timeFaults(key, answers.time.trim(), must));
      if (must && statuses?.length && !answers.status) faults.push([key, "status", "Choose a status."]);
      if (this.fields.has(`${key}/task`) && answers.task && !tasks.includes(answers.task)) faults.push([key, "task", `“${answers.task}” is none of the studio's tasks: choose one of the list.`]);
    }
    this.say(faults);
    return !faults.length;
  }

  /** What the server found wrong. @param {{id: string, field: string, reason: string}[]} faults @returns {boolean} whether all of it stands at fields now */
  refused(faults) {
    return this.say(faults.map(({ id, field: name, reason }) => [this.same ? "" : id, name, `${reason[0].toUpperCase()}${reason.slice(1)}.`]));
  }

  say(faults) {
    for (const made of this.fields.values()) made.wrong("");
    const known = faults.filter(([key, name]) => this.fields.has(`${key}/${name}`));
    for (const [key, name, words] of known) this.fields.get(`${key}/${name}`).wrong(words);
    if (known.length) this.fields.get(`${known[0][0]}/${known[0][1]}`).input.focus();
    return known.length > 0 && known.length === faults.length;
  }

  /** @returns {[string, Answers, boolean][]} */
  groups() {
    if (this.same) return [["", this.draft.shared, this.entries.some((entry) => entry.verdict.can_publish)]];
    return this.entries.map((entry) => [entry.id, this.draft.of(entry.name), entry.verdict.can_publish]);
  }

  /** As `POST /jobs` takes them. @returns {Record<string, any>[]} */
  collect() {
    return this.entries.map((entry) => ({ id: entry.id, ...this.given(entry, this.same ? this.draft.shared : this.draft.of(entry.name)) }));
  }

  given(entry, answers) {
    const { comment, time_report, statuses, tasks, metadata } = this.answer;
    const pairs = answers.metadata.filter(([key]) => key.trim()).map(([key, value]) => [key.trim(), value]);
    return {
      ...(comment ? { comment: answers.comment } : {}),
      ...(time_report ? { time_report: answers.time.trim() } : {}),
      ...(statuses?.length && answers.status ? { status: answers.status } : {}),
      ...(tasks?.length && answers.task && asksTask(entry) ? { task: answers.task } : {}),
      ...(metadata && pairs.length ? { metadata: Object.fromEntries(pairs) } : {}),
    };
  }
}

/** What the studio calls the comment; all that it calls it, where one comment is for entries for which it has several words. @param {Entry[]} entries */
function commentLabel(entries) {
  const labels = entries.map(({ verdict }) => verdict.comment_label).filter(Boolean);
  return [...new Set(labels)].slice(0, LABELS).join(" / ") || "Comment";
}

/** @param {Entry} entry */
const asksTask = ({ verdict }) => verdict.can_publish && !verdict.ident;

function timeFaults(key, text, must) {
  const seconds = text ? secondsOf(text) : 0;
  if (seconds === null) return [[key, "time_report", `“${text}” is not a time: write h:mm, such as 1:30.`]];
  return must && !seconds ? [[key, "time_report", "Enter the time spent, as h:mm."]] : [];
}
