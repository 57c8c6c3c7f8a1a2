// The sound that may have to be sent again: everything after what the service has said for good.

/** Samples counted from the start of the session. */
export class Sound {
  constructor() {
    this.chunks = [];
    this.start = 0;
    this.end = 0;
  }

  /** Take the next samples. */
  append(samples) {
    this.chunks.push({ start: this.end, samples });
    this.end += samples.length;
  }

  /** Forget what is not needed again. */
  dropBefore(sample) {
    while (this.chunks.length && this.chunks[0].start + this.chunks[0].samples.length <= sample) {
      const { start, samples } = this.chunks.shift();
      this.start = start + samples.length;
    }
  }

  /** Some samples from a place on, at most to the end of a chunk; none if there are no more. What is forgotten is silence. */
  next(sample) {
    if (sample < this.start) return new Int16Array(Math.min(this.start - sample, 16000));
    const chunk = this.chunks[this.find(sample)];
    return chunk ? chunk.samples.subarray(sample - chunk.start) : new Int16Array(0);
  }

  find(sample) {
    let i = this.chunks.length - 1;
    while (i > 0 && this.chunks[i].start > sample) i--;
    return sample < this.end ? i : -1;
  }
}
