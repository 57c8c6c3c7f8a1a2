// The word that is being said, lit, and kept in view until the reader scrolls elsewhere.

const SETTLED_MS = 100;

/** Lights words in a list of segments. */
export class Lit {
  constructor(transcript, list) {
    this.transcript = transcript;
    this.list = list;
    this.word = -1;
    this.isFollowing = true;
    const look = () => (this.isFollowing = false);
    for (const kind of ["wheel", "touchmove"]) list.element.addEventListener(kind, look, { passive: true });
    list.element.addEventListener("scroll", () => this.later(), { passive: true });
  }

  /** Keep it in view from now on. */
  follow() {
    this.isFollowing = true;
    this.segment = undefined;
    this.at(this.time_s ?? 0, true);
  }

  at(time_s, isPlaying) {
    this.time_s = time_s;
    const word = this.transcript.wordAt(time_s);
    const segment = this.transcript.segmentAt(time_s);
    if (segment !== this.segment && (this.isFollowing || !isPlaying)) this.list.reveal(segment);
    this.segment = segment;
    if (word !== this.word) {
      this.word = word;
      this.renew();
    }
  }

  /** Light it again where rows were made anew. */
  renew() {
    this.list.element.querySelector(".w.lit")?.classList.remove("lit");
    if (this.word >= 0) this.list.element.querySelector(`[data-word="${this.word}"]`)?.classList.add("lit");
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.renew(), SETTLED_MS);
  }
}
