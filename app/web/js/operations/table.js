// Tables whose rows become small lists where the screen is narrow; the roles stay what they are then.

import { h } from "../dom.js";
import { t } from "../i18n.js";

/** A table; `columns` are names of texts, cells are texts or elements. */
export function table(caption, columns, rows, nothing) {
  if (!rows.length) return h("p", { class: "empty" }, nothing);
  const head = h("tr", { role: "row" }, columns.map((name) => h("th", { scope: "col", role: "columnheader" }, t(name))));
  const body = rows.map((cells) => h("tr", { role: "row" }, cells.map((cell, n) => h("td", { role: "cell", "data-label": t(columns[n]) }, cell))));
  return h("div", { class: "table", tabindex: "0", role: "region", "aria-label": caption }, h("table", { role: "table" }, h("thead", { role: "rowgroup" }, head), h("tbody", { role: "rowgroup" }, body)));
}
