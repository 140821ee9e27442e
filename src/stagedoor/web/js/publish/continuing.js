/** Unfinished jobs at the top of the publish page, and going on with them. */
import { breakable, fill, h, icon } from "../dom.js";
import { spokenChanges } from "../upload/match.js";
import { giveUp, goOn, hasHandles, lacking, reopen, unfinished } from "../upload/unfinished.js";
import { readDrop, readFiles, readHandle } from "../scan/find.js";
import { bar } from "../ui/bar.js";
import { ask } from "../ui/dialog.js";
import { sorry } from "../ui/sorry.js";
import { bytes, when } from "../words.js";
import { pickers, takesDrops } from "./picking.js";

/** @typedef {import("../upload/unfinished.js").Unfinished} Unfinished @typedef {import("../scan/find.js").Found} Found */

export class Continuing {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
    this.element = h("div", { class: "unfinished" });
    this.says = h("div", {});
    /** @type {Unfinished[]} */
    this.list = [];
    /** What was found again so far, by job: not everything can be picked at once. @type {Map<string, Map<string, Found>>} */
    this.found = new Map();
  }

  /** @param {() => unknown} [then] told when they are there */
  async load(then = () => {}) {
    try {
      this.list = await unfinished(this.page.me, this.page.signal);
    } catch (error) {
      if (!this.page.signal.aborted) fill(this.element, sorry(error, () => void this.load(then)));
      return;
    }
    this.draw();
    then();
  }

  draw() {
    const focused = this.element.contains(document.activeElement);
    fill(this.element, this.list.map((one) => this.card(one)));
    if (focused) this.page.main.querySelector("h1")?.focus();
  }

  /** The unfinished job of which these are all entries that it lacks. @param {string[]} names */
  of(names) {
    return this.list.find(({ job }) => {
      const wanted = lacking(job).map((task) => task.filename);
      return wanted.length === names.length && wanted.every((name) => names.includes(name));
    });
  }

  /** @param {Unfinished} one */
  card(one) {
    const { job } = one;
    const says = h("div", { role: "alert" });
    const name = h("h2", { id: `unfinished-${job.id}`, tabindex: "-1" }, breakable(job.code));
    const far = bar(`Upload of ${job.code}`);
    far.set(job.size ? job.received / job.size : 1);
    const element = h(
      "section",
      { class: "card unfinished-card", "aria-labelledby": name.id },
      h("div", { class: "row apart" }, name, h("span", { class: "badge warn" }, "Not finished")),
      far.element,
      h("p", {}, `${bytes(job.received)} of ${bytes(job.size)} have arrived; begun ${when(job.created)}. What has arrived is not sent again.`),
      says,
      hasHandles(one) ? this.byHandles(one, says) : this.byPicking(one, says),
    );
    takesDrops(element, element, (transfer) => void this.with(one, says, (found) => readDrop(transfer, found)), this.page.signal);
    return element;
  }

  byHandles(one, says) {
    const act = h("button", { class: "button primary", type: "button", "aria-label": `Continue ${one.job.code}` }, icon("play"), "Continue");
    act.addEventListener("click", () => void this.reopened(one, says, act));
    return h("div", { class: "row" }, act, this.away(one, says));
  }

  byPicking(one, says) {
    const folders = lacking(one.job).map(called);
    const ways = {
      picked: (files) => void this.with(one, says, (found) => readFiles(files, found)),
      pickedHandle: (handle) => void this.with(one, says, (found) => readHandle(handle, found)),
    };
    return [
      h("p", {}, "To go on, drop here or choose again: ", h("span", { class: "mono" }, folders.join(", "))),
      h("div", { class: "row" }, pickers(ways, { about: `to continue ${one.job.code}` }), this.away(one, says)),
    ];
  }

  away(one, says) {
    return h("button", { class: "button quiet", type: "button", "aria-label": `Cancel this publish: ${one.job.code}`, on: { click: () => void this.cancel(one, says) } }, "Cancel this publish");
  }

  /** @param {HTMLButtonElement} button rests meanwhile: a second click would begin it twice */
  async reopened(one, says, button) {
    button.disabled = true;
    fill(says, h("p", { class: "muted" }, "Reading…"));
    try {
      const found = await reopen(one);
      if (found) await this.go(one, says, found);
      else fill(says, h("p", { class: "notice warn" }, "The browser may not read the files. Allow it, or drop them here again."));
    } catch (error) {
      fill(says, h("p", { class: "notice bad" }, error.name === "NotFoundError" ? "The files are not where they were. Drop them here from where they are now." : error.message));
    } finally {
      button.disabled = false;
      if (button.isConnected && document.activeElement === document.body) button.focus();
    }
  }

  /** @param {(begun: (found: Found) => void) => Promise<unknown>} reader */
  async with(one, says, reader) {
    fill(says, h("p", { class: "muted" }, "Reading…"));
    const found = this.found.get(one.job.id) ?? new Map();
    this.found.set(one.job.id, found);
    try {
      await reader(({ node, ...more }) => node && found.set(node.filename, { node, ...more }));
      const names = lacking(one.job).map((task) => task.filename);
      const still = names.filter((name) => !found.has(name));
      if (still.length && still.length < names.length) fill(says, h("p", { class: "notice" }, "Found ", names.filter((name) => found.has(name)).join(", "), "; still needed: ", still.join(", "), "."));
      else await this.go(one, says, [...found.values()]);
    } catch (error) {
      fill(says, h("p", { class: "notice bad" }, error.message));
    }
  }

  /** @param {Unfinished} one @param {Found[]} found */
  async go(one, says, found) {
    const changes = await goOn(one, found);
    if (!changes.length) {
      this.list = this.list.filter((other) => other !== one);
      this.draw();
      document.getElementById(`transfer-${one.job.id}`)?.focus();
      return;
    }
    this.found.delete(one.job.id);
    const chosen = new Set(found.map(({ node }) => node?.filename));
    const others = lacking(one.job).filter((task) => !chosen.has(task.filename));
    fill(says, h("div", { class: "notice bad" }, h("p", {}, "It cannot go on with these: ", spokenChanges(changes), "."), h("p", {}, others.length ? choose(others) : PUT_BACK)));
  }

  async cancel(one, says) {
    const sure = await ask({ title: "Cancel this publish?", text: `Nothing of “${one.job.code}” will be published.`, yes: "Cancel the publish", no: "Keep it", danger: true });
    if (!sure) return;
    try {
      await giveUp(one.job.id);
      this.list = this.list.filter((other) => other !== one);
      this.draw();
    } catch (error) {
      fill(says, h("p", { class: "notice bad" }, error.message));
    }
  }
}

const PUT_BACK = "Put them back as they were and try again; or cancel this publish and publish anew.";

/** A folder is found by its own name alone: neither the one above it nor one inside is it. */
const choose = (tasks) => `Choose ${tasks.map(called).join(", ")} ${tasks.length > 1 ? "themselves" : "itself"}.`;

const called = (task) => task.filename + (task.is_dir ? "/" : "");
