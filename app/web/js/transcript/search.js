// Looking for words within the transcript: accents and capitals do not matter.

import { debounced, h, iconButton } from "../dom.js";
import { t } from "../i18n.js";
import { wordsOf } from "./model.js";

const TYPED_MS = 120;

const bare = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** Where `query` is said: for each time, its segment and the numbers of its words. */
export function findAll(transcript, query) {
  const wanted = bare(query.trim());
  if (!wanted) return [];
  return transcript.segments.flatMap((segment, i) => findIn(wordsOf(segment), transcript.firstWord[i], wanted).map((words) => ({ segment: i, words })));
}

function findIn(words, first, wanted) {
  const texts = words.map((word) => bare(word.word));
  const line = texts.join(" ");
  const found = [];
  for (let at = line.indexOf(wanted); at >= 0; at = line.indexOf(wanted, at + wanted.length)) {
    found.push(between(texts, at, at + wanted.length).map((n) => first + n));
  }
  return found;
}

function between(texts, from, to) {
  const inside = [];
  let at = 0;
  texts.forEach((text, n) => {
    if (at < to && at + text.length > from) inside.push(n);
    at += text.length + 1;
  });
  return inside;
}

/** The search field with its count and its arrows; `onfound(words, match)` shows what was found. */
export class SearchBar {
  constructor(transcript, onfound) {
    this.transcript = transcript;
    this.onfound = onfound;
    this.matches = [];
    this.at = 0;
    this.input = h("input", { type: "search", placeholder: t("search.short"), "aria-label": t("search.within"), oninput: debounced(() => this.look(), TYPED_MS), onkeydown: (event) => this.key(event) });
    this.count = h("span", { class: "count", role: "status" });
    this.element = h("div", { class: "search-bar", role: "search" }, this.input, this.count, iconButton("up", t("search.previous"), () => this.go(-1)), iconButton("down", t("search.next"), () => this.go(1)));
  }

  look() {
    this.matches = findAll(this.transcript, this.input.value);
    this.at = 0;
    this.show();
  }

  go(by) {
    const n = this.matches.length;
    if (n) this.at = (this.at + by + n) % n;
    this.show();
  }

  key(event) {
    event.stopPropagation();
    if (event.key === "Enter") this.go(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") {
      this.input.value = "";
      this.look();
      this.input.blur();
    }
  }

  show() {
    const n = this.matches.length;
    const isAsked = this.input.value.trim() !== "";
    this.element.classList.toggle("is-searching", isAsked);
    this.count.textContent = isAsked ? (n ? t("search.at", { at: this.at + 1, n }) : t("search.none")) : "";
    const found = new Set(this.matches.flatMap((match) => match.words));
    const match = this.matches[this.at];
    found.current = new Set(match?.words);
    this.onfound(found, match);
  }
}
