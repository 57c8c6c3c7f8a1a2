// Hearing the recording: play, go, faster, without the silences.

const RATES = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3];
const LONG_PAUSE_S = 1.2;
const LEAD_S = 0.2;

/** A player without a face. `onchange` is called when play or rate change, `ontime(time_s)` at each frame of play and after each jump. */
export class Player {
  constructor(url, transcript, { onchange, ontime, onfail }) {
    this.transcript = transcript;
    this.isSkipping = false;
    this.ontime = ontime;
    this.onchange = onchange;
    this.audio = new Audio();
    this.audio.preload = "metadata";
    this.audio.preservesPitch = true;
    for (const kind of ["play", "pause", "ratechange", "ended"]) this.audio.addEventListener(kind, () => this.changed());
    this.audio.addEventListener("seeked", () => this.ontime(this.time));
    this.audio.addEventListener("error", () => onfail(this.audio.error));
    this.audio.src = url;
  }

  end() {
    cancelAnimationFrame(this.frame);
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.audio.load();
  }

  get time() {
    return this.audio.currentTime;
  }

  get isPlaying() {
    return !this.audio.paused;
  }

  get rate() {
    return this.audio.playbackRate;
  }

  toggle() {
    if (this.isPlaying) this.audio.pause();
    else this.play();
  }

  play() {
    this.audio.play().catch(() => {}); // why not is told by the error event
  }

  seek(time_s) {
    this.audio.currentTime = Math.min(Math.max(0, time_s), this.transcript.duration || Infinity);
    this.ontime(this.time);
  }

  faster(by) {
    const now = RATES.findIndex((rate) => rate >= this.rate);
    this.audio.playbackRate = RATES[Math.min(Math.max(0, now + by), RATES.length - 1)];
  }

  toggleSkipping() {
    this.isSkipping = !this.isSkipping;
    this.changed();
  }

  changed() {
    cancelAnimationFrame(this.frame);
    if (this.isPlaying) this.frame = requestAnimationFrame(() => this.tick());
    this.onchange();
  }

  tick() {
    if (this.isSkipping) this.skipPause();
    this.ontime(this.time);
    this.frame = requestAnimationFrame(() => this.tick());
  }

  /** Where nobody speaks for long, go to where somebody does. */
  skipPause() {
    const { transcript, time } = this;
    if (transcript.wordAt(time) >= 0) return;
    const next = transcript.starts.find((start) => start > time);
    if (next !== undefined && next - time > LONG_PAUSE_S) this.seek(next - LEAD_S);
  }
}
