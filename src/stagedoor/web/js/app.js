/** The site: who is signed in, the top of each page, and which module shows which address. */
import { get, onSignedOut, post, Refusal } from "./api.js";
import { fill, h, door, icon } from "./dom.js";
import { define, go, match, refresh, start } from "./router.js";
import { session } from "./session.js";
import { toast } from "./ui/toast.js";
import { sorry } from "./ui/sorry.js";
import { ask } from "./ui/dialog.js";
import { indicator } from "./upload/indicator.js";
import { belongTo, sending } from "./upload/transfers.js";

const STAFF = ["employee", "admin"];
const ADMIN = ["admin"];

/** `open`: needs nobody signed in. `roles`: whom it is for; what they may is decided by the server. */
const ROUTES = {
  "/": { load: async () => ({ show: home }) },
  "/sign-in": { load: () => import("./pages/sign-in.js"), open: true },
  "/invitation": { load: () => import("./pages/invitation.js"), open: true },
  "/account": { load: () => import("./pages/account.js") },
  "/publish": { load: () => import("./pages/publish.js"), label: "Publish" },
  "/jobs": { load: () => import("./pages/jobs.js"), label: "Jobs" },
  "/jobs/:id": { load: () => import("./pages/job.js"), under: "/jobs" },
  "/today": { load: () => import("./pages/today.js"), label: "Today", roles: STAFF },
  "/refused": { load: () => import("./pages/refused.js"), label: "Refused", roles: STAFF },
  "/hooks": { load: () => import("./pages/hooks.js"), label: "Hooks", roles: STAFF },
  "/runs/:id": { load: () => import("./pages/run.js"), under: "/hooks", roles: STAFF },
  "/people": { load: () => import("./pages/people.js"), label: "People", roles: STAFF },
  "/volumes": { load: () => import("./pages/volumes.js"), label: "Volumes", roles: STAFF },
  "/queues": { load: () => import("./pages/queues.js"), label: "Queues", roles: STAFF },
  "/settings": { load: () => import("./pages/settings.js"), label: "Settings", roles: ADMIN },
  "/log": { load: () => import("./pages/log.js"), label: "Log", roles: STAFF },
};

async function home({ me }) {
  await go(STAFF.includes(me.role) ? "/jobs" : "/publish", { replace: true });
}

async function draw(signal) {
  const main = document.getElementById("main");
  const found = match(location.pathname);
  try {
    if (found && !found.route.open) session.me ??= await get("/me", { signal });
    if (session.me) belongTo(session.me.id);
    top(found?.route.under ?? location.pathname, Boolean(found?.route.open));
    if (!found) return missing(main);
    if (!isFor(found.route, session.me)) return foreign(main, found.route);
    const module = await found.route.load();
    if (signal.aborted) return undefined;
    const name = (title) => (document.title = title ? `${title} · Stagedoor` : "Stagedoor");
    name(module.title ?? "");
    fill(main);
    const before = document.activeElement;
    await module.show({ main, params: found.params, query: new URLSearchParams(location.search), me: session.me, signal, go, name });
    const unmoved = [before, document.body, null].includes(document.activeElement); // else somebody opened a menu meanwhile
    if (!signal.aborted && unmoved) main.focus({ preventScroll: true });
  } catch (error) {
    if (signal.aborted || error.name === "AbortError") return undefined;
    if (error instanceof Refusal && error.status === 401) return toSignIn();
    top(location.pathname, false);
    fill(main, sorry(error, refresh));
  }
  return undefined;
}

function missing(main) {
  document.title = "Not here · Stagedoor";
  fill(main, h("h1", {}, "There is no such page"), h("p", {}, "The address may be cut short. ", h("a", { href: "/" }, "Go to the first page"), "."));
}

/** What is typed, or sent by somebody who may see it. */
function foreign(main, { roles }) {
  document.title = "Not for you · Stagedoor";
  const whose = roles === ADMIN ? "administrators" : "the studio's people";
  fill(main, h("h1", {}, `This page is for ${whose}`), h("p", {}, "What it shows is not for your role. If somebody gave you its address, ask them what you need to know. ", h("a", { href: "/" }, "Go to your first page"), "."));
  main.focus({ preventScroll: true });
}

/** @param {any} route @param {any} me */
const isFor = ({ roles }, me) => !roles || roles.includes(me?.role);

/** Where the user wanted to go is kept, and gone to after the sign-in. */
function toSignIn() {
  session.me = null;
  if (location.pathname === "/sign-in") return undefined;
  const wanted = location.pathname + location.search;
  return go(wanted === "/" ? "/sign-in" : `/sign-in?to=${encodeURIComponent(wanted)}`, { replace: true });
}

async function signOut() {
  const text = "What has arrived is kept at the studio. To send the rest, sign in again and go on.";
  if (sending() && !(await ask({ title: "Stop the upload and sign out?", text, yes: "Sign out", no: "Stay" }))) return undefined;
  try {
    await post("/sign-out");
  } catch (error) {
    if (!(error instanceof Refusal)) return toast(error.message, "bad");
  }
  session.me = null;
  return go("/sign-in");
}

function top(path, open) {
  const { me } = session;
  const header = document.getElementById("top");
  const brand = h("a", { class: "brand", href: "/" }, door(), "Stagedoor");
  if (open || !me) return fill(header, brand, h("div", { class: "side" }, themeButton()));
  const links = Object.entries(ROUTES).filter(([, route]) => route.label && isFor(route, me));
  const nav = h("nav", { "aria-label": "Pages" }, links.map(([to, { label }]) => h("a", { href: to, "aria-current": to === path ? "page" : null }, label)));
  fill(header, brand, nav, h("div", { class: "side" }, h("span", { id: "transfer" }, indicator()), themeButton(), accountMenu(me)));
  nav.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }); // a phone shows half of them
  return header;
}

function themeButton() {
  const root = document.documentElement;
  const button = h("button", { class: "button quiet icon", type: "button" });
  const say = () => {
    const dark = root.dataset.theme !== "light";
    const words = dark ? "Use the light theme" : "Use the dark theme";
    button.setAttribute("aria-label", words);
    button.title = words;
    fill(button, icon(dark ? "sun" : "moon"));
  };
  button.addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "light" ? "dark" : "light";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // It holds until the page is left, then.
    }
    say();
  });
  say();
  return button;
}

function accountMenu(me) {
  const menu = h(
    "details",
    { class: "menu" },
    h("summary", { class: "button quiet icon", title: me.code, "aria-label": `Account of ${me.code}` }, icon("person")),
    h(
      "div",
      {},
      h("p", { class: "muted small clip" }, me.code),
      h("a", { class: "button quiet", href: "/account" }, "Your account"),
      h("button", { class: "button quiet", type: "button", on: { click: signOut } }, "Sign out"),
    ),
  );
  menu.addEventListener("focusout", (event) => {
    if (!menu.contains(/** @type {Node | null} */ (event.relatedTarget))) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  return menu;
}

define(ROUTES);
onSignedOut(() => void toSignIn());
void start(draw);
