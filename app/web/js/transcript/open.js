// A finished transcript: its parts put together.

import { audioUrl, getEdits, getPeaks, getTranscript } from "../api.js";
import { h, iconButton } from "../dom.js";
import { t } from "../i18n.js";
import { toastError } from "../toast.js";
import { Controls } from "./controls.js";
import { outlineOf } from "./outline.js";
import { editInPlace } from "./editor.js";
import { Edits } from "./edits.js";
import { exportMenu } from "./exports.js";
import { keysHelp, listenToKeys } from "./keys.js";
import { VirtualList } from "./list.js";
import { Lit } from "./lit.js";
import { Transcript } from "./model.js";
import { Player } from "./player.js";
import { SearchBar } from "./search.js";
import { estimatedHeight, segmentRow } from "./segment.js";
import { Speakers } from "./speakers.js";
import { Waveform } from "./waveform.js";

const JUMP_S = 5;

/** Load all of it, with the head that `makeHead(transcript)` makes; gives its element, `shown` to be called once it is in the page, and `end`. */
export async function openTranscript(job, makeHead) {
  const id = job.job_id;
  const [told, corrected, peaks] = await Promise.all([getTranscript(id), getEdits(id), getPeaks(id).catch(() => null)]);
  const transcript = new Transcript(told);
  const opened = new OpenTranscript(job, transcript, peaks, makeHead(transcript));
  if (!peaks) outlineOf(job).then((made) => made && opened.waveform.show(made));
  opened.edits.take(corrected);
  return opened;
}

class OpenTranscript {
  constructor(job, transcript, peaks, head) {
    this.transcript = transcript;
    this.found = Object.assign(new Set(), { current: new Set() });
    this.edits = new Edits(job.job_id, transcript, () => this.edited());
    this.speakers = new Speakers(job.job_id, transcript, () => this.renamed());
    this.search = new SearchBar(transcript, (found, match) => this.showFound(found, match));
    this.list = new VirtualList({
      label: t("transcript.label"),
      estimate: (i, width) => estimatedHeight(transcript.segments[i], width),
      render: (i) => segmentRow(i, this.context()),
    });
    this.lit = new Lit(transcript, this.list);
    this.makePlayer(job, peaks);
    this.element = this.layout(job, head);
    this.list.element.addEventListener("click", (event) => this.clicked(event));
    this.endKeys = listenToKeys(this.keys());
  }

  shown() {
    this.list.setCount(this.transcript.segments.length);
  }

  end() {
    this.endKeys();
    this.player.end();
    this.waveform.end();
    this.list.end();
  }

  makePlayer(job, peaks) {
    this.waveform = new Waveform(this.transcript, peaks, (time_s) => this.player.seek(time_s));
    this.player = new Player(audioUrl(job.job_id), this.transcript, {
      onchange: () => this.controls?.renew(),
      ontime: (time_s) => this.at(time_s),
      onfail: () => this.silent(),
    });
    this.controls = new Controls(this.player, this.waveform, this.transcript.duration);
  }

  layout(job, head) {
    this.undoButton = iconButton("undo", t("undo.last"), () => this.undo(), { disabled: true });
    this.help = keysHelp();
    this.sound = h("section", { class: "sound", "aria-label": t("player.label") }, this.waveform.element, this.controls.element);
    const isSilent = !this.transcript.segments.length;
    const tools = h("div", { class: "tools-bar", hidden: isSilent }, this.search.element, this.undoButton, this.help.element, exportMenu(job.job_id));
    const nothing = isSilent && h("p", { class: "empty" }, t("transcript.nothing"));
    this.list.element.hidden = isSilent;
    this.list.element.classList.toggle("has-voices", this.transcript.speakers.length > 0);
    return h("div", { class: "transcript-page" }, head, tools, this.speakers.element, this.sound, nothing, this.list.element);
  }

  context() {
    return {
      transcript: this.transcript,
      found: this.found,
      machineTexts: this.edits.machineTexts,
      actions: {
        play: (time_s) => this.playFrom(time_s),
        edit: (i) => this.edit(i),
        restore: (i) => this.attempt(() => this.edits.restore(this.transcript.segments[i])),
        rename: (label) => this.speakers.rename(label),
      },
    };
  }

  keys() {
    const { player } = this;
    return {
      toggle: () => player.toggle(),
      back: () => player.seek(player.time - JUMP_S),
      forth: () => player.seek(player.time + JUMP_S),
      previous: () => this.step(-1),
      next: () => this.step(1),
      faster: () => player.faster(1),
      slower: () => player.faster(-1),
      skip: () => player.toggleSkipping(),
      edit: () => this.edit(this.transcript.segmentAt(player.time)),
      undo: () => this.undo(),
      search: () => this.search.input.focus(),
      follow: () => this.lit.follow(),
      help: () => this.help.open(),
    };
  }

  at(time_s) {
    this.waveform.setTime(time_s);
    this.controls.setTime(time_s);
    this.lit.at(time_s, this.player.isPlaying);
  }

  playFrom(time_s) {
    this.lit.follow();
    this.player.seek(time_s);
    this.player.play();
  }

  step(by) {
    const { segments } = this.transcript;
    const to = segments[Math.min(Math.max(0, this.transcript.segmentAt(this.player.time + 0.01) + by), segments.length - 1)];
    this.lit.follow();
    this.player.seek(to.start);
  }

  clicked(event) {
    const word = event.target.closest("[data-word]")?.dataset.word;
    if (word !== undefined && !getSelection().toString()) this.playFrom(this.transcript.starts[word]);
  }

  edit(i) {
    this.list.reveal(i);
    const row = this.list.row(i);
    const segment = this.transcript.segments[i];
    if (!row || row.classList.contains("is-editing")) return;
    editInPlace(row, segment, {
      onsave: (text) => this.edits.write(segment, text),
      onresize: () => this.list.measure([i]) ?? this.list.place(),
      onend: () => {
        this.list.refresh([i]);
        this.list.row(i)?.querySelector(".tools button:last-child")?.focus();
      },
    });
  }

  async undo() {
    if (!this.edits.canUndo) return;
    await this.attempt(async () => {
      const id = await this.edits.undo();
      this.list.reveal(this.transcript.segments.findIndex((segment) => segment.id === id));
    });
  }

  async attempt(act) {
    try {
      await act();
    } catch (error) {
      toastError(error);
    }
  }

  edited() {
    this.undoButton.disabled = !this.edits.canUndo;
    this.search.look();
    this.renewRows();
  }

  renamed() {
    this.renewRows();
    this.waveform.plan();
  }

  renewRows() {
    this.list.refresh([...this.list.rows.keys()].filter((i) => !this.list.row(i).classList.contains("is-editing")));
    this.lit.renew();
  }

  showFound(found, match) {
    this.found = found;
    this.renewRows();
    if (match) this.list.reveal(match.segment);
  }

  silent() {
    const note = h("p", { class: "note", role: "status" }, t("player.silent"));
    this.controls.element.replaceWith(note);
  }
}
