/** The files of an upload laid end to end: which bytes of which files are in a range. */

export class Tape {
  /** @param {number[]} sizes of the files, in their order */
  constructor(sizes) {
    this.starts = new Float64Array(sizes.length + 1);
    for (let index = 0; index < sizes.length; index += 1) this.starts[index + 1] = this.starts[index] + sizes[index];
  }

  get size() {
    return this.starts[this.starts.length - 1];
  }

  /** Pieces of files that make up `[start, end)`; files of no bytes are in none. `whole`: all of a file. */
  *pieces(start, end) {
    for (let index = this.at(start); start < end; index += 1) {
      const until = Math.min(end, this.starts[index + 1]);
      const [from, to] = [start - this.starts[index], until - this.starts[index]];
      if (until > start) yield { index, from, to, whole: from === 0 && until === this.starts[index + 1] };
      start = Math.max(start, until);
    }
  }

  /** The file that holds the byte at `offset`. */
  at(offset) {
    let [low, high] = [0, this.starts.length - 2];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Of whole files nothing is cut: a cut is a question to the browser's other process. @param {Tape} tape @param {File[]} files @returns {Blob} the bytes of `[start, end)`; nothing is read yet */
export function blobOf(tape, files, start, end) {
  const slices = [];
  for (const { index, from, to, whole } of tape.pieces(start, end)) slices.push(whole ? files[index] : files[index].slice(from, to));
  return new Blob(slices);
}
