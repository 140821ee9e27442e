/** Doing something to a thing of the server's: asked about first where it cannot be taken back, refused in words. */
import { ask } from "../ui/dialog.js";
import { h } from "../dom.js";
import { toast } from "../ui/toast.js";

/**
 * A button that does `act`; it rests meanwhile, and what is refused is said.
 *
 * @param {string} name
 * @param {() => Promise<unknown>} act
 * @param {{sure?: {title: string, text: string, yes: string, no?: string}, class?: string, done?: string, id?: string, label?: string, title?: string}} [options]
 */
export function doing(name, act, options = {}) {
  const button = h("button", { class: `button small ${options.class ?? ""}`, type: "button", id: options.id, "aria-label": options.label, title: options.title }, name);
  button.addEventListener("click", async () => {
    if (options.sure && !(await ask({ ...options.sure, danger: options.class?.includes("danger") }))) return;
    button.disabled = true;
    if ((await attempt(act)) && options.done) toast(options.done);
    button.disabled = false;
    refocus(button);
  });
  return button;
}

/** A button that rests, or is drawn anew, loses the focus: it is given back, or to what says how things are now. */
function refocus(button) {
  if (document.activeElement && document.activeElement !== document.body) return;
  const now = button.isConnected ? button : button.id && document.getElementById(button.id);
  (now || document.getElementById("next") || document.getElementById("main")).focus({ preventScroll: true });
}

/** Whether it was done; else says why not. @param {() => Promise<unknown>} act */
export async function attempt(act) {
  try {
    await act();
    return true;
  } catch (error) {
    if (error.name !== "AbortError") toast(error.message, "bad");
    return false;
  }
}
