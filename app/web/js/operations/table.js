// Tables that scroll by themselves where the screen is narrow.

import { h } from "../dom.js";
import { t } from "../i18n.js";

/** A table; `columns` are names of texts, cells are texts or elements. */
export function table(caption, columns, rows, nothing) {
  if (!rows.length) return h("p", { class: "empty" }, nothing);
  const head = h("tr", {}, columns.map((name) => h("th", { scope: "col" }, t(name))));
  const body = rows.map((cells) => h("tr", {}, cells.map((cell) => h("td", {}, cell))));
  return h("div", { class: "table", tabindex: "0", role: "region", "aria-label": caption }, h("table", {}, h("thead", {}, head), h("tbody", {}, body)));
}
