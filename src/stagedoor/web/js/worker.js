/** Starts workers, by the one policy that may (`trusted-types`). */

const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy("worker", { createScriptURL: (address) => address });

/** @param {URL} address of a module of this site: `new URL("./worker.js", import.meta.url)` @returns {Worker} */
export function startWorker(address) {
  const text = address.href;
  return new Worker(policy ? policy.createScriptURL(text) : text, { type: "module" });
}
