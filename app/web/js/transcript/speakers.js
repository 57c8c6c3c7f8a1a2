// Who speaks: names given once are shown everywhere.

import { changeJob } from "../api.js";
import { fill, h } from "../dom.js";
import { clock } from "../format.js";
import { t } from "../i18n.js";
import { speakerColor } from "./colors.js";

/** The row of speakers; `rename(label)` asks for a name. `onchange` is called when one has another name. */
export class Speakers {
  constructor(jobId, transcript, onchange) {
    this.jobId = jobId;
    this.transcript = transcript;
    this.onchange = onchange;
    this.element = h("div", { class: "speakers" });
    this.show();
  }

  show() {
    const { speakers } = this.transcript;
    this.element.hidden = !speakers.length;
    fill(this.element, speakers.map((speaker, n) => this.chip(speaker, n)));
  }

  chip(speaker, n) {
    const dot = h("span", { class: "dot" });
    dot.style.backgroundColor = speakerColor(n);
    const name = this.transcript.nameOf(speaker.label);
    const label = t("speaker.rename", { name });
    return h("button", { type: "button", class: "chip", title: label, onclick: () => this.rename(speaker.label) }, dot, name, h("span", { class: "hint" }, clock(speaker.speaking_time)));
  }

  rename(label) {
    const known = this.transcript.speakers.find((speaker) => speaker.label === label);
    const input = h("input", { type: "text", id: "speaker-name", value: known.name ?? "", maxlength: "255", autocomplete: "off" });
    const problem = h("p", { class: "reason", role: "alert" });
    const dialog = h("dialog", { "aria-labelledby": "rename-title", onclose: () => dialog.remove() });
    const save = async (event) => {
      event.preventDefault();
      try {
        await this.save(known, input.value.trim() || null);
        dialog.close();
      } catch (error) {
        problem.textContent = error.message;
      }
    };
    const buttons = h("div", { class: "dialog-acts" }, h("button", { type: "button", class: "plain", onclick: () => dialog.close() }, t("editor.cancel")), h("button", { type: "submit", class: "button small" }, t("editor.save")));
    fill(dialog, h("form", { onsubmit: save, onkeydown: (event) => event.stopPropagation() }, h("h2", { id: "rename-title" }, t("speaker.title", { name: this.transcript.nameOf(label) })), h("label", { for: "speaker-name" }, t("speaker.name")), input, problem, buttons));
    document.body.append(dialog);
    dialog.showModal();
    input.select();
  }

  async save(speaker, name) {
    await changeJob(this.jobId, { speakers: { [speaker.label]: name } });
    speaker.name = name;
    this.show();
    this.onchange();
  }
}
