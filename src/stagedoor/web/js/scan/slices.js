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

const channel = new MessageChannel();
/** @type {(() => void)[]} */
const resting = [];
channel.port1.onmessage = () => resting.shift()();

/**
 * Until everything that waits now has had its turn. By a message: timers are slow in a tab that is not looked at, and
 * `scheduler.yield()` goes before everything else that waits, which is what is not wanted here.
 *
 * @returns {Promise<void>}
 */
export function rest() {
  return new Promise((resolve) => {
    resting.push(resolve);
    channel.port2.postMessage(0);
  });
}
