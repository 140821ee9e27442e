/** How fast bytes go, over the last seconds, and how long what is left will take. */

const SECONDS = 12;

export class Speed {
  constructor() {
    this.clear();
  }

  clear() {
    /** @type {{time: number, sent: number}[]} */
    this.samples = [];
  }

  /** @param {number} sent bytes in all @param {number} now seconds @returns {number} bytes per second; 0 where it is not known yet */
  at(sent, now = performance.now() / 1000) {
    this.samples.push({ time: now, sent });
    while (this.samples.length > 2 && now - this.samples[1].time > SECONDS) this.samples.shift();
    const [first] = this.samples;
    const passed = now - first.time;
    return passed < 0.5 ? 0 : Math.max(0, (sent - first.sent) / passed);
  }
}
