// Speak, and read it.

import { fill, h, icon } from "../dom.js";
import { clock } from "../format.js";
import { t } from "../i18n.js";
import { LANGUAGES, languageName } from "../languages.js";
import { toast, toastError } from "../toast.js";
import { tellApart } from "../transcript/relatives.js";
import { session } from "./session.js";

const QUIETEST_DB = -60;
const STATES = { connecting: "live.connecting", open: "live.listening", lost: "live.lost", finishing: "live.finishing", done: "live.done" };

/** The view at `/live`. */
export function liveView(main) {
  const view = new LiveView();
  fill(main, view.element);
  return session.listen((event) => view.happened(event));
}

class LiveView {
  constructor() {
    this.options = makeOptions();
    this.acts = h("div", { class: "live-acts" });
    this.state = h("div", { class: "live-state", role: "status" });
    this.time = h("span", { class: "clock", "aria-label": t("live.recorded"), role: "timer" });
    this.note = h("p", { class: "note", role: "status" });
    this.bar = h("span");
    this.level = h("div", { class: "level", "aria-hidden": "true" }, this.bar);
    this.partial = h("p", { class: "partial", dir: "auto" });
    this.finals = h("div", { role: "log", "aria-label": t("live.words"), "aria-live": "polite" });
    this.said = h("div", { class: "card said" }, this.finals, this.partial);
    this.desk = h("section", { class: "card desk", "aria-label": t("live.title") }, h("div", { class: "live-line" }, this.state, this.time), this.level, this.note, this.acts, this.options.element);
    this.element = h("div", { class: "live" }, h("div", {}, h("h1", {}, t("live.title")), h("p", { class: "hint" }, t("live.intro"))), this.desk, this.said);
    this.renew();
    this.showFinals();
  }

  happened({ type }) {
    if (type === "level") this.showLevel();
    else if (type === "final") this.showFinals();
    else if (type !== "partial") this.renew();
    this.showPartial();
  }

  renew() {
    const { state, isPaused, isRecording, note } = session;
    const isOver = state === "idle" || state === "done" || state === "failed";
    this.desk.className = `card desk is-${isRecording && isPaused ? "paused" : state}`;
    this.options.element.hidden = !isOver;
    this.time.hidden = !isRecording;
    this.note.hidden = !note;
    this.level.hidden = !isRecording;
    this.said.hidden = state === "idle" || (isOver && !session.finals.length);
    this.note.textContent = note;
    this.state.classList.toggle("is-lost", state === "lost" || state === "failed");
    this.state.textContent = state === "failed" ? this.failure() : state === "open" && isPaused ? t("live.paused") : STATES[state] ? t(STATES[state]) : "";
    this.showActs(isOver);
    if (state === "connecting" && !session.finals.length) fill(this.finals);
    this.showLevel();
  }

  failure() {
    return session.finals.length ? t("live.failed", { reason: session.reason }) : session.reason;
  }

  /** The same buttons stay the same elements, so that the keyboard's place stays. */
  showActs(isOver) {
    const wanted = isOver ? overActs(!session.finals.length) : session.isRecording ? recordingActs() : [];
    const key = wanted.map(([name]) => name).join();
    if (this.acts.told === key && this.acts.childElementCount) return;
    const hadFocus = this.acts.contains(document.activeElement);
    this.acts.told = key;
    fill(this.acts, wanted.map(([name, sign, act, kind]) => button(name, sign, () => act(this), kind)));
    if (hadFocus) this.acts.querySelector("button, a")?.focus();
  }

  start() {
    session.start(this.options.read());
  }

  showLevel() {
    const db = 20 * Math.log10(session.level || 1e-6);
    this.bar.style.transform = `scaleX(${Math.min(1, Math.max(0, 1 - db / QUIETEST_DB))})`;
    const told = clock(session.recorded_s);
    if (this.time.textContent !== told) this.time.textContent = told;
  }

  showFinals() {
    for (const segment of session.finals.slice(this.finals.childElementCount)) {
      this.finals.append(h("p", { dir: "auto" }, h("span", { class: "time" }, clock(segment.start)), " ", segment.text));
    }
    this.said.lastElementChild.scrollIntoView({ block: "nearest" });
  }

  showPartial() {
    if (this.partial.textContent !== session.partial) this.partial.textContent = session.partial;
  }
}

function recordingActs() {
  const pause = session.isPaused ? ["live.resume", "mic", () => session.resume(), "button"] : ["live.pause", "pause", () => session.pause(), "button second"];
  return [["live.stop", "stop", () => session.stop(), "button danger"], pause];
}

function overActs(isFirst) {
  const isDone = session.state === "done";
  const start = [isFirst ? "live.start" : "live.again", "mic", (view) => view.start(), isDone ? "button second" : "button start"];
  if (!isDone) return [start];
  const open = ["live.open", "play", () => location.assign(`#/jobs/${session.jobId}`), "button"];
  return [open, session.isRefined && ["live.openRefined", "better", openRefined, "button second"], session.isKept && ["live.diarize", "voices", () => tellApart(session.jobId), "button second"], start].filter(Boolean);
}

const button = (name, sign, onclick, kind) => h("button", { type: "button", class: kind, onclick }, sign && icon(sign), t(name));

async function openRefined() {
  try {
    const jobId = await session.refinedBy();
    if (jobId) location.assign(`#/jobs/${jobId}`);
    else toast(t("live.notRefined"), { kind: "bad" });
  } catch (error) {
    toastError(error);
  }
}

function makeOptions() {
  const language = h("select", { id: "live-language" }, h("option", { value: "" }, t("upload.anyLanguage")), LANGUAGES.map((tag) => h("option", { value: tag }, languageName(tag))));
  const keep = h("input", { type: "checkbox", id: "live-keep", checked: true });
  const refine = h("input", { type: "checkbox", id: "live-refine" });
  const element = h("div", { class: "options" }, h("label", { for: "live-language" }, t("live.language"), language), h("label", { class: "check", for: "live-keep" }, keep, t("live.keep")), h("label", { class: "check", for: "live-refine" }, refine, t("live.refine")));
  const read = () => ({ ...(language.value ? { language: language.value } : {}), keepAudio: keep.checked, refine: refine.checked });
  return { element, read };
}
