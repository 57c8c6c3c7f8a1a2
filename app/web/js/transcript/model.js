// A transcript as the page needs it: which word is said when, found by halving.

import { t } from "../i18n.js";

const HELD_S = 0.35;

/** What was said; `segments` and `speakers` are as the service tells them. */
export class Transcript {
  constructor({ segments, speakers, duration, language }) {
    this.segments = segments;
    this.speakers = speakers;
    this.duration = duration;
    this.language = language;
    this.index();
  }

  /** Take a segment in its new form. */
  replace(segment) {
    this.segments[this.segments.findIndex((one) => one.id === segment.id)] = segment;
    this.index();
  }

  index() {
    this.firstWord = new Int32Array(this.segments.length + 1);
    this.segments.forEach((segment, i) => (this.firstWord[i + 1] = this.firstWord[i] + wordsOf(segment).length));
    const all = this.segments.flatMap(wordsOf);
    this.starts = Float64Array.from(all, (word) => word.start);
    this.ends = Float64Array.from(all, (word) => word.end);
    this.segmentStarts = Float64Array.from(this.segments, (segment) => segment.start);
  }

  /** The number of the word that is said at a time, counted over all; −1 in a pause. */
  wordAt(time_s) {
    const word = lastAtOrBefore(this.starts, time_s);
    return word >= 0 && time_s <= this.ends[word] + HELD_S ? word : -1;
  }

  /** The segment that is said at a time, or was last. */
  segmentAt(time_s) {
    return Math.max(0, lastAtOrBefore(this.segmentStarts, time_s));
  }

  /** The segment that a word is in. */
  segmentOf(word) {
    return lastAtOrBefore(this.firstWord.subarray(0, this.segments.length), word);
  }

  /** The name of a speaker; one that has none is called by the number in the label. */
  nameOf(label) {
    const number = /^SPEAKER_(\d+)$/.exec(label)?.[1];
    return this.speakers.find((speaker) => speaker.label === label)?.name || (number ? t("speaker.nth", { n: Number(number) + 1 }) : label);
  }
}

/** A segment's words; its whole text as one where the engine told no times. */
export function wordsOf(segment) {
  if (segment.words.length || !segment.text) return segment.words;
  return [{ word: segment.text, start: segment.start, end: segment.end, confidence: segment.confidence, speaker: segment.speaker }];
}

/** The last index whose value is not greater; −1 if there is none. `values` never go down. */
export function lastAtOrBefore(values, wanted) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
