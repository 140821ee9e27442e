/** Keeps to a speed: a bucket that fills with it, and of which every part takes its bytes. */

export class Limit {
  constructor(rate = 0) {
    this.set(rate);
  }

  /** @param {number} rate bytes per second; 0: as fast as it goes */
  set(rate) {
    this.rate = rate;
    this.free = performance.now();
  }

  /** How many milliseconds to wait before so many bytes may go. */
  delay(size) {
    if (!this.rate) return 0;
    const now = performance.now();
    const wait = Math.max(0, this.free - now);
    this.free = Math.max(now, this.free) + (size / this.rate) * 1000;
    return wait;
  }
}
