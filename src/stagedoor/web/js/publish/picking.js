/** Ways in for files and folders: dropping them anywhere on the page, or picking them. */
import { h, icon } from "../dom.js";

/**
 * What comes in; each is called while the user's click is handled.
 *
 * @typedef {object} Ways
 * @property {(files: File[]) => void} picked
 * @property {(handle: FileSystemHandle) => void} pickedHandle
 */

/** Buttons for files and for a folder. @param {Ways} ways @param {{primary?: boolean, about?: string}} [options] */
export function pickers(ways, { primary = false, about = "" } = {}) {
  const files = input(ways, false);
  const folder = input(ways, true);
  const label = (text) => (about ? { "aria-label": `${text} ${about}` } : {});
  const kind = primary ? "button primary" : "button";
  return h(
    "div",
    { class: "row pickers" },
    h("button", { class: kind, type: "button", ...label("Choose a folder"), on: { click: () => void pickFolder(ways, folder) } }, icon("folder"), "Choose a folder"),
    h("button", { class: "button", type: "button", ...label("Choose files"), on: { click: () => files.click() } }, icon("file"), "Choose files"),
    files,
    folder,
  );
}

function input(ways, folder) {
  const element = h("input", { type: "file", multiple: true, hidden: true, webkitdirectory: folder, class: folder ? "pick-folder" : "pick-files", "aria-label": folder ? "Folder" : "Files" });
  element.addEventListener("change", () => {
    const files = [...element.files];
    element.value = ""; // the same folder can be picked again
    if (files.length) ways.picked(files);
  });
  return element;
}

/** By a handle where the browser has them: that can be read again after a reload, and knows of empty folders. */
async function pickFolder(ways, fallback) {
  const picker = /** @type {any} */ (globalThis).showDirectoryPicker;
  if (!picker) return fallback.click();
  try {
    return ways.pickedHandle(await picker({ id: "publish", mode: "read" }));
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    return fallback.click();
  }
}

/**
 * Take what is dropped on `element`, which shows that it will.
 *
 * @param {HTMLElement | Document} element @param {HTMLElement} shows @param {(transfer: DataTransfer) => void} dropped @param {AbortSignal} signal
 */
export function takesDrops(element, shows, dropped, signal) {
  const files = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  let inside = 0;
  const over = (change) => {
    inside = Math.max(0, inside + change);
    shows.classList.toggle("over", inside > 0);
  };
  const on = (name, listener) => element.addEventListener(name, listener, { signal });
  on("dragenter", (event) => files(event) && (event.preventDefault(), over(1)));
  on("dragleave", (event) => files(event) && over(-1));
  on("dragover", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  on("drop", (event) => {
    inside = 0;
    shows.classList.remove("over");
    if (!files(event) || event.defaultPrevented) return;
    event.preventDefault();
    dropped(event.dataTransfer);
  });
}
