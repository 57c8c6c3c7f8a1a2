// In the browser's audio thread: a tenth of a second at a time, as 16-bit samples, with how loud it was.

const CHUNK_S = 0.1;

class Chunks extends AudioWorkletProcessor {
  constructor() {
    super();
    this.chunk = new Int16Array(Math.round(sampleRate * CHUNK_S));
    this.begin();
    this.isOpen = true;
    this.port.onmessage = () => this.flush();
  }

  begin() {
    this.n = 0;
    this.squares = 0;
  }

  process([[channel]]) {
    for (const sample of channel ?? []) this.take(sample);
    return this.isOpen;
  }

  take(sample) {
    const kept = Math.max(-1, Math.min(1, sample));
    this.squares += kept * kept;
    this.chunk[this.n++] = Math.round(kept * 32767);
    if (this.n === this.chunk.length) this.post();
  }

  post() {
    const sound = this.chunk.slice(0, this.n);
    this.port.postMessage({ sound, loudness: Math.sqrt(this.squares / Math.max(1, this.n)) }, [sound.buffer]);
    this.begin();
  }

  /** The last, shorter chunk, when it ends. */
  flush() {
    this.post();
    this.isOpen = false;
  }
}

registerProcessor("chunks", Chunks);
