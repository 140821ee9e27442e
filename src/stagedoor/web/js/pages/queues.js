/** Queues: what goes first, how many jobs of each run at once, and letting one rest. */
import { get, patch, post, put, remove } from "../api.js";
import { fill, h } from "../dom.js";
import { attempt, doing } from "../desk/act.js";
import { form } from "../desk/form.js";
import { live, ofState, soon } from "../ui/live.js";
import { badge } from "../ui/status.js";
import { table } from "../ui/table.js";
import { number } from "../words.js";

export const title = "Queues";

export async function show(page) {
  const admin = page.me.role === "admin";
  const load = async () => {
    const { items } = await get("/queues", { signal: page.signal });
    const limits = await Promise.all(items.map(({ code }) => get("/settings", { query: { queue: code, where: "name = jobs_at_once" }, signal: page.signal })));
    list.show(items.map((queue, index) => ({ ...queue, limit: limits[index].items[0] })));
  };
  const list = table("Queues, the one that goes first on top", columns(() => attempt(load), admin));
  const again = soon(load, page.signal);
  const { sign, begun } = live(page.signal, { again, job: ofState(again) });
  const button = admin ? h("button", { class: "button", id: "add-queue", type: "button", on: { click: () => edit(null, load) } }, "Add a queue") : null;
  fill(page.main, h("div", { class: "row apart" }, h("h1", {}, "Queues"), h("span", { class: "row" }, sign, button)), h("p", { class: "muted" }, "The queue with the higher priority goes first; within a queue, the older job. Uploads arrive in a paused queue all the same, and wait in it."), list.element);
  await begun;
  await load();
}

function columns(load, admin) {
  const all = [
    { name: "Queue", class: "any", cell: (queue) => [h("strong", {}, queue.code), queue.default ? [" ", badge("Default", "good")] : null, queue.description ? h("p", { class: "small muted" }, queue.description) : null] },
    { name: "State", cell: (queue) => (queue.status === "paused" ? badge("Paused", "warn") : badge("Open", "good")) },
    { name: "Priority", class: "number", cell: (queue) => queue.priority },
    { name: "At once", class: "number", cell: ({ limit }) => (limit ? h("span", { title: limit.level === "queue" ? "Set on this queue" : "As for all queues together" }, limit.level === "queue" ? limit.value : `all: ${limit.value}`) : "") },
    { name: "Run", class: "number", cell: (queue) => number(queue.running) },
    { name: "Wait", class: "number", cell: (queue) => h("a", { id: `waiting-${queue.id}`, href: `/jobs?where=${encodeURIComponent(`queue = queue:${queue.id}`)}` }, number(queue.waiting)) },
    admin ? { name: "Actions", quiet: true, cell: (queue) => acts(queue, load) } : null,
  ];
  return all.filter(Boolean);
}

function acts(queue, load) {
  const paused = queue.status === "paused";
  const set = (wanted) => async () => (await patch(`/queues/${queue.id}`, wanted), load());
  const named = (name) => ({ id: `${name.replaceAll(" ", "-")}-${queue.id}`, label: `${name}: ${queue.code}` });
  return h(
    "div",
    { class: "row" },
    doing(paused ? "Resume" : "Pause", set({ status: paused ? "waiting" : "paused" }), { ...named(paused ? "Resume" : "Pause"), sure: paused ? undefined : { title: `Pause ${queue.code}?`, text: "None of its jobs is begun until it is resumed; what runs goes on.", yes: "Pause it" } }),
    h("button", { class: "button small", type: "button", id: `change-${queue.id}`, "aria-label": `Change: ${queue.code}`, on: { click: () => edit(queue, load) } }, "Change"),
    queue.default ? null : doing("Make default", set({ default: true }), named("Make default")),
    queue.default ? null : doing("Remove", async () => (await remove(`/queues/${queue.id}`), load()), { ...named("Remove"), class: "danger", sure: { title: `Remove ${queue.code}?`, text: "Only a queue without unfinished jobs can be removed.", yes: "Remove it" } }),
  );
}

async function edit(queue, load) {
  const own = queue?.limit?.level === "queue";
  const wishes = [
    ...(queue ? [] : [{ name: "code", label: "Code" }]),
    { name: "priority", label: "Priority", input: h("input", { type: "number", min: 0, max: 1000, value: queue?.priority ?? 500 }), hint: "0 to 1000; the higher goes first." },
    { name: "limit", label: "Jobs at once", input: h("input", { type: "number", min: 1, value: own ? queue.limit.value : "" }), hint: "Of this queue; left empty: as many as the studio's setting allows in all.", optional: true },
    { name: "description", label: "Description", value: queue?.description ?? "", optional: true },
  ];
  const save = async ({ code, priority, limit, description }) => {
    const wanted = { priority: Number(priority), description };
    const made = queue ? await patch(`/queues/${queue.id}`, wanted) : await post("/queues", { code, ...wanted });
    if (limit) await put("/settings/jobs_at_once", { value: Number(limit) }, { query: { queue: made.code } });
    else if (own) await remove("/settings/jobs_at_once", { query: { queue: made.code } });
  };
  if (await form(queue ? `Change ${queue.code}` : "Add a queue", wishes, save, queue ? "Save" : "Add")) await attempt(load);
}
