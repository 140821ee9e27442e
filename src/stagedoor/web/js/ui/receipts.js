/** A job's receipt, to be saved. */
import { h } from "../dom.js";

/** Links to it, as each kind of file. @param {{id: string}} job */
export function receipts(job) {
  const link = (path, name, words) => h("a", { class: "button", href: `/api/v1/jobs/${job.id}/${path}`, download: name }, words);
  return [link("receipt", `receipt-${job.id}.json`, "Receipt (JSON)"), link("receipt/mhl", `receipt-${job.id}.zip`, "Receipt (ASC MHL)")];
}
