// Taking the transcript away, in any format.

import { exportUrl } from "../api.js";
import { h, icon } from "../dom.js";
import { t } from "../i18n.js";

const FORMATS = ["txt", "srt", "vtt", "md", "json", "rttm", "ctm"];

/** A menu of files; with the machine's own text if that is asked for. */
export function exportMenu(jobId) {
  const machine = h("input", { type: "checkbox", id: "machine-version", onchange: () => links.forEach(([link, format]) => link.setAttribute("href", url(format))) });
  const url = (format) => exportUrl(jobId, format, machine.checked ? "machine" : "edited");
  const links = FORMATS.map((format) => [h("a", { href: url(format), download: true }, h("strong", {}, format.toUpperCase()), h("span", { class: "hint" }, t(`export.${format}`))), format]);
  const choices = h("div", { class: "menu" }, links.map(([link]) => link), h("label", { class: "check", for: "machine-version" }, machine, t("export.machine")));
  const menu = h("details", { class: "export", onkeydown: (event) => event.key === "Escape" && menu.removeAttribute("open") }, h("summary", { class: "button small" }, icon("save"), t("export.title")), choices);
  const closeOutside = (event) => {
    if (!menu.isConnected) removeEventListener("click", closeOutside);
    else if (!menu.contains(event.target)) menu.removeAttribute("open");
  };
  addEventListener("click", closeOutside);
  return menu;
}
