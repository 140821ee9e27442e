/** Hooks: which are set, how their last runs went; for administrators switching, setting, and trying today's script. */
import { get, patch, post, put, remove } from "../api.js";
import { fill, h, redraw } from "../dom.js";
import { daysAgo } from "../desk/address.js";
import { attempt, doing } from "../desk/act.js";
import { facts } from "../desk/entries.js";
import { choice, form } from "../desk/form.js";
import { listing } from "../desk/listing.js";
import { pairsOf } from "../desk/pairs.js";
import { difference, several, tried } from "../desk/replay.js";
import { named, RUN_COLUMNS } from "../desk/runs.js";
import { onOff, runBadge, runSaid, time } from "../ui/status.js";
import { exactly } from "../words.js";

export const title = "Hooks";

const CHECK = "pre-publish-server";
/** So many runs a line is tried on before it is set. */
const TRIED = 20;
const NAMES = [
  [CHECK, "looks at an offer and decides, entry by entry"],
  ["pre-submit-server", "may refuse a job before it is made"],
  ["post-submit-server", "is told that a job was submitted"],
  ["publish-server", "ingests what was placed"],
  ["post-failed-server", "is told that a job failed"],
  ["post-done-server", "is told that a job is done"],
];

export async function show(page) {
  const admin = page.me.role === "admin";
  const set = h("div", { class: "things" });
  const load = async () => {
    const { items } = await get("/hooks", { signal: page.signal });
    redraw(set, items.length ? items.map((hook) => card(page, hook, load, admin)) : h("p", { class: "notice warn" }, `No hook is set: without ${CHECK} every offer is refused.`));
  };
  const runs = listing(page, {
    path: "/runs",
    caption: "Runs of hooks, the newest first",
    counted: ["run", "runs"],
    columns: RUN_COLUMNS,
    plain: admin ? ["hook", "command", "error"] : ["hook", "error"],
    examples: ["state in failed, timed_out", "exit_code > 0 and started >= 2026-03-01", "user = *@vendor.example", ...(admin ? ["command contains publish.py"] : [])],
    filters: [{ id: "", name: "All", query: () => ({}) }, ...NAMES.map(([name]) => ({ id: name, name: name.replace("-server", ""), query: () => ({ hook: name }) }))],
    empty: (narrowed) => (narrowed ? "No run is like that." : "No hook has run yet."),
  });
  const adding = admin ? h("button", { class: "button", id: "set-hook", type: "button", on: { click: () => change(page, null, load) } }, "Set a hook") : null;
  fill(page.main, h("div", { class: "row apart" }, h("h1", {}, "Hooks"), adding), set, admin ? trial(page) : null, h("h2", { id: "runs" }, "Runs"), runs.element);
  await Promise.all([attempt(load), runs.reload()]);
}

function card(page, hook, load, admin) {
  const title_ = `${hook.name}${hook.queue ? `, queue ${hook.queue}` : ""}`;
  const last = h("span", { class: "row" });
  void get("/runs", { query: { hook: hook.name, limit: 5 }, signal: page.signal }).then(({ items }) => fill(last, items.length ? items.map((run) => h("a", { href: `/runs/${run.id}`, title: exactly(run.started), "aria-label": `${runSaid(run.state)}, ${exactly(run.started)}` }, runBadge(run.state))) : "none yet", items.length ? time(items[0].started) : null), () => {});
  return h(
    "section",
    { class: `card ${hook.status === "enabled" ? "" : "off"}`, "aria-label": title_ },
    h("div", { class: "row apart" }, h("h2", {}, title_), onOff(hook.status === "enabled")),
    h("p", { class: "muted" }, `It ${NAMES.find(([name]) => name === hook.name)?.[1] ?? "runs"}.`),
    hook.status === "enabled" ? null : h("p", { class: "notice warn" }, `It is switched off and does not run.${hook.name === CHECK ? " Every offer is refused." : ""}`),
    facts([["Command", h("code", {}, hook.command)], hook.environment.length ? ["Environment", h("code", {}, hook.environment.join(" "))] : null, hook.user ? ["Runs as", h("code", {}, hook.user)] : null, ["Set", time(hook.modified)], ["Last runs", last]].filter(Boolean)),
    admin ? acts(page, hook, load) : null,
  );
}

function acts(page, hook, load) {
  const on = hook.status === "enabled";
  const key = `${hook.name}-${hook.queue}`;
  const without = hook.name === CHECK ? " Without it every offer is refused." : "";
  const turn = async () => (await patch(`/hooks/${hook.name}`, { status: on ? "disabled" : "enabled", queue: hook.queue }), load());
  const unset = async () => (await remove(`/hooks/${hook.name}`, { query: { queue: hook.queue } }), load());
  return h(
    "div",
    { class: "row" },
    doing(on ? "Disable" : "Enable", turn, { id: `turn-${key}`, sure: on ? { title: `Disable ${hook.name}?`, text: `It does not run until it is enabled again.${without}`, yes: "Disable it" } : undefined }),
    h("button", { class: "button small", id: `change-${key}`, type: "button", on: { click: () => change(page, hook, load) } }, "Change"),
    doing("Unset", unset, { class: "danger", id: `unset-${key}`, sure: { title: `Unset ${hook.name}?`, text: `Its command line and environment are forgotten; recorded runs stay.${without}`, yes: "Unset it" } }),
  );
}

/** Set a hook, or another command line of one. */
async function change(page, hook, load) {
  let queues = [];
  await attempt(async () => (queues = (await get("/queues", { signal: page.signal })).items));
  const names = choice(hook ? [[hook.name, hook.name]] : NAMES.map(([name, does]) => [name, `${name}: ${does}`]), hook?.name);
  const wishes = [
    { name: "name", label: "Hook", input: names },
    { name: "queue", label: "For", input: choice(hook ? [[hook.queue, hook.queue || "all queues"]] : [["", "all queues"], ...queues.map(({ code }) => [code, `the queue ${code}`])], hook?.queue), optional: true },
    { name: "command", label: "Command line", input: h("textarea", { class: "mono", rows: 3, value: hook?.command ?? "", spellcheck: "false" }), hint: "With ${PATH_JSON_INPUT}, and ${PATH_JSON_OUTPUT} where it answers. No shell runs it." },
    { name: "environment", label: "Environment", input: h("textarea", { class: "mono", rows: 2, spellcheck: "false" }), hint: hook?.environment.length ? `One NAME=value in a line. Values are never shown: give ${hook.environment.join(", ")} again.` : "One NAME=value in a line.", optional: true },
    { name: "user", label: "Runs as", value: hook?.user ?? "", hint: "A user of the server's system; left empty: the server's own.", optional: true },
  ];
  const line = ({ queue, command, environment, user }) => ({ command, queue, user, environment: pairsOf(environment, /^\s*\w+=/, "NAME=value") });
  const save = (values) => put(`/hooks/${values.name}`, { ...line(values), status: hook?.status ?? "enabled" });
  const also = (values) => trialOf(page, names, () => [values().name, line(values())]);
  if (await form(hook ? `Change ${hook.name}` : "Set a hook", wishes, save, "Save", also)) await attempt(load);
}

/**
 * The line as it is typed, on what vendors had offered; what other hooks do cannot be taken back.
 *
 * @param {import("../router.js").Page} page @param {HTMLSelectElement} names @param {() => [string, any]} typed
 */
function trialOf(page, names, typed) {
  const says = h("div", { role: "status" });
  const act = async () => {
    fill(says, h("p", { class: "muted" }, "It runs…"));
    try {
      const [name, line] = typed();
      fill(says, tried(await post(`/hooks/${name}/trial`, line, { query: { limit: TRIED }, signal: page.signal })));
    } catch (error) {
      if (error.name !== "AbortError") fill(says, h("p", { class: "notice bad" }, error.message));
    }
  };
  const button = h("div", { class: "row begin" }, doing("Try it first", act, { id: "try-first", title: "On what vendors had offered: nothing is set, recorded or reserved" }), h("span", { class: "small muted" }, `On the newest ${TRIED} offers; nothing is set.`));
  const not = h("p", { class: "small muted" }, "It cannot be tried here, since it does something. Try it on files of your own: ", h("code", {}, "stagedoor hook test SCRIPT PATH"), ".");
  const draw = () => {
    fill(says);
    button.hidden = names.value !== CHECK;
    not.hidden = !button.hidden;
  };
  names.addEventListener("change", draw);
  draw();
  return h("div", { class: "try" }, button, not, says);
}

/** Today's script on one recorded run, or on all of a period. */
function trial(page) {
  const place = h("div", {});
  const runs = h("select", { id: "trial-run" }, h("option", { value: "" }, "Choose a run…"));
  void get("/runs", { query: { hook: CHECK, limit: 50 }, signal: page.signal }).then(({ items }) => runs.append(...items.map((run) => h("option", { value: run.id }, `${exactly(run.started)}, ${named(run)}${run.state === "succeeded" ? "" : `, ${run.state}`}`))), () => {});
  const since = h("select", { id: "trial-since" }, [["1", "the last day"], ["7", "the last 7 days"], ["30", "the last 30 days"], ["", "all that are kept"]].map(([days, name]) => h("option", { value: days, selected: days === "7" }, name)));
  const one = async () => {
    if (!runs.value) return runs.focus();
    return fill(place, difference(await post(`/runs/${runs.value}/replay`, {}, { signal: page.signal })), h("p", { class: "small" }, h("a", { href: `/runs/${runs.value}` }, "That run")));
  };
  const all = () => several(place, since.value ? daysAgo(Number(since.value)) : undefined, page.signal);
  return h(
    "section",
    { class: "card", "aria-labelledby": "trial" },
    h("h2", { id: "trial" }, "Try today's check"),
    h("p", { class: "muted" }, "The script that is set now is given what vendors had offered: what would change? Nothing is recorded or reserved."),
    h("div", { class: "trial" }, h("label", { for: "trial-run" }, "One run"), runs, doing("Replay it", one, { id: "trial-one" }), h("label", { for: "trial-since" }, "Every run of"), since, doing("Replay them", all, { id: "trial-all" })),
    place,
  );
}
