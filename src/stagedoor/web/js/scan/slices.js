/**
 * Long work in slices, so that the page stays quick: `await slices.breathe()` lets the browser do what waits, where the
 * present slice has lasted long enough; else it costs nothing.
 */
const SLICE = 20;

export class Slices {
  constructor() {
    this.since = performance.now();
  }

  get due() {
    return performance.now() - this.since > SLICE;
  }

  async breathe() {
    if (!this.due) return;
    await rest();
    this.since = performance.now();
  }
}

/** Until everything that waits now has had its turn. @returns {Promise<void>} */
export function rest() {
  const scheduler = /** @type {any} */ (globalThis).scheduler;
  if (scheduler?.yield) return scheduler.yield();
  // A message is not slowed down in a tab that is not looked at, as a timer is.
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      resolve();
    };
    channel.port2.postMessage(0);
  });
}
