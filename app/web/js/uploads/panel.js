// first view: where files are dropped, and those on their way.

import { fill, h, icon, iconButton } from "../dom.js";
import { percent, size } from "../format.js";
import { t } from "../i18n.js";
import { LANGUAGES, languageName } from "../languages.js";
import { addFiles, currentUploads, dropUpload, onUploads } from "./queue.js";

const ACCEPTED = "audio/*,video/mp4,video/webm,video/x-matroska,.amr,.caf,.wma,.mkv,.m4a,.opus";

/** The panel; `onjob(id)` is called for each job that was made. Gives the element and what ends it. */
export function uploadPanel(onjob) {
  const list = h("ul", { class: "uploads", "aria-label": t("upload.list") });
  const options = makeOptions();
  const panel = h("section", { class: "card", "aria-label": t("upload.title") }, dropZone(options.read), options.element, list);
  const show = () => showUploads(list);
  const end = onUploads((jobId) => (jobId ? onjob(jobId) : show()));
  show();
  return { element: panel, end };
}

function dropZone(read) {
  const input = h("input", { type: "file", multiple: true, accept: ACCEPTED, class: "visually-hidden", id: "files", onchange: take });
  function take() {
    addFiles(input.files, read());
    input.value = "";
  }
  const words = h("span", { class: "drop-words" }, h("strong", {}, t("upload.choose")), h("span", { class: "hint" }, t("upload.orDrop")));
  const zone = h("label", { class: "drop", for: "files" }, icon("upload"), words);
  const record = h("a", { class: "button record", href: "#/live" }, icon("mic"), t("upload.record"));
  listenForDrops(zone, (files) => addFiles(files, read()));
  return h("div", { class: "drop-row" }, input, zone, record);
}

/** Files may be dropped anywhere on the page while the panel is there. */
function listenForDrops(zone, take) {
  const onDrag = (event) => {
    if (!zone.isConnected) return stopListening();
    if (![...event.dataTransfer.types].includes("Files")) return undefined;
    event.preventDefault();
    zone.classList.toggle("is-over", event.type === "dragover");
    if (event.type === "drop") take(event.dataTransfer.files);
    return undefined;
  };
  const kinds = ["dragover", "dragleave", "drop"];
  const stopListening = () => kinds.forEach((kind) => removeEventListener(kind, onDrag));
  kinds.forEach((kind) => addEventListener(kind, onDrag));
}

function makeOptions() {
  const language = h("select", { id: "language" }, h("option", { value: "" }, t("upload.anyLanguage")), LANGUAGES.map((tag) => h("option", { value: tag }, languageName(tag))));
  const speakers = h("input", { type: "checkbox", id: "speakers" });
  const element = h("div", { class: "options" }, h("label", { for: "language" }, t("upload.language"), language), h("label", { class: "check", for: "speakers" }, speakers, t("upload.speakers")));
  return { element, read: () => ({ language: language.value, mode: speakers.checked ? "diarization" : "batch" }) };
}

const rows = new WeakMap();

function showUploads(list) {
  const uploads = currentUploads();
  const shown = uploads.map((upload) => rows.get(upload) ?? makeRow(upload));
  uploads.forEach((upload) => rows.get(upload).renew());
  fill(list, shown.map((row) => row.element ?? row));
  list.hidden = !uploads.length;
}

function makeRow(upload) {
  const bar = h("progress", { max: 1, "aria-label": t("upload.progressOf", { name: upload.file.name }) });
  const note = h("span", { class: "note" });
  const drop = iconButton("close", t("upload.drop", { name: upload.file.name }), () => dropUpload(upload));
  const element = h("li", { class: "upload" }, h("span", { class: "name" }, upload.file.name), bar, note, drop);
  const row = { element, renew: () => renew(upload, element, bar, note) };
  rows.set(upload, row);
  return row;
}

function renew(upload, element, bar, note) {
  element.classList.toggle("is-bad", upload.state === "refused");
  bar.hidden = upload.state === "refused";
  bar.value = upload.fraction;
  note.textContent = upload.error ?? told(upload);
  if (upload.state === "refused") note.setAttribute("role", "alert");
}

function told(upload) {
  if (upload.state === "waiting") return t("upload.waiting", { size: size(upload.file.size) });
  if (upload.fraction === 1) return t("upload.storing");
  return t("upload.sending", { done: percent(upload.fraction), size: size(upload.file.size) });
}
