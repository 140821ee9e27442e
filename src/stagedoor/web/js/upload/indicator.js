/** In the top of every page: how far the uploads of this tab are, and the way to them. */
import { fill, h } from "../dom.js";
import { bar } from "../ui/bar.js";
import { onTransfers, transfers } from "./transfers.js";

const under = bar("Upload");
const text = h("span", {});
const link = h("a", { class: "transfer", href: "/publish" }, under.element, text);

/** The one element, which stays when the top is drawn anew. */
export function indicator() {
  show();
  return link;
}

onTransfers(show);

function show() {
  const open = transfers.filter((transfer) => transfer.state !== "over" && transfer.state !== "arrived");
  link.hidden = !open.length;
  if (!open.length) return;
  const size = open.reduce((sum, transfer) => sum + transfer.job.size, 0);
  const sent = open.reduce((sum, transfer) => sum + transfer.sent, 0);
  const share = size ? sent / size : 1;
  const stopped = open.some((transfer) => transfer.state === "stopped");
  under.set(share, stopped ? "bad" : "");
  const words = stopped ? "stopped" : open.every((transfer) => transfer.state === "paused") ? "paused" : `${Math.floor(share * 100)} %`;
  if (text.textContent !== words) fill(text, words);
}
