// One segment: when, who, what; its words can be pointed at.

import { h, iconButton } from "../dom.js";
import { clock } from "../format.js";
import { t } from "../i18n.js";
import { speakerColor } from "./colors.js";
import { wordsOf } from "./model.js";

const UNSURE = 0.5;
const LINE_PX = 27;
const LETTER_PX = 8.4;
const AROUND_PX = 14;

/** How high a segment will be, about, in a list of a width. */
export function estimatedHeight(segment, width) {
  const room = Math.max(200, width - (width > 640 ? 270 : 40));
  const lines = Math.max(1, Math.ceil((segment.text.length * LETTER_PX) / room));
  return lines * LINE_PX + AROUND_PX + (width > 640 ? 0 : 36);
}

/** The row of segment `i`. `context` has the transcript, `found` words, `edited` ids, and what to do. */
export function segmentRow(i, context) {
  const { transcript, actions } = context;
  const segment = transcript.segments[i];
  const time = h("button", { type: "button", class: "time", onclick: () => actions.play(segment.start), "aria-label": t("segment.play", { time: clock(segment.start) }) }, clock(segment.start));
  const isEdited = context.machineTexts.has(segment.id);
  const edit = iconButton("edit", t("segment.edit", { time: clock(segment.start) }), () => actions.edit(i), { class: "icon-button quiet" });
  const restore = isEdited && iconButton("undo", t("segment.restore", { text: context.machineTexts.get(segment.id) }), () => actions.restore(i), { class: "icon-button quiet" });
  const mark = isEdited && h("span", { class: "mark" }, t("segment.edited"));
  return h("div", { class: "segment" }, h("div", { class: "who" }, time, speaker(segment, context), mark), h("p", { class: "words", lang: transcript.language, dir: "auto" }, words(i, context)), h("div", { class: "tools" }, restore, edit));
}

function speaker(segment, { transcript, actions }) {
  if (!segment.speaker) return null;
  const n = transcript.speakers.findIndex((one) => one.label === segment.speaker);
  const name = transcript.nameOf(segment.speaker);
  const dot = h("span", { class: "dot" });
  dot.style.backgroundColor = speakerColor(n);
  return h("button", { type: "button", class: "speaker", onclick: () => actions.rename(segment.speaker), title: t("speaker.rename", { name }) }, dot, name);
}

function words(i, { transcript, found }) {
  const segment = transcript.segments[i];
  const first = transcript.firstWord[i];
  if (!segment.text) return h("em", { class: "nothing" }, t("segment.empty"));
  return wordsOf(segment).flatMap((word, n) => [word_(word, first + n, found), " "]);
}

function word_(word, number, found) {
  const isUnsure = word.confidence !== null && word.confidence < UNSURE;
  const title = isUnsure ? t("segment.unsure", { sure: Math.round(word.confidence * 100) }) : null;
  const classes = ["w", isUnsure && "unsure", found.has(number) && "found", found.current?.has(number) && "current"];
  return h("span", { class: classes.filter(Boolean).join(" "), "data-word": number, title }, word.word);
}
