// first view: what can be done here, as long as nothing was done yet.

import { h, icon } from "../dom.js";
import { t } from "../i18n.js";

const WAYS = [["upload", "upload"], ["mic", "live"], ["voices", "speakers"]];

/** A card a way to begin. */
export function welcome() {
  const ways = WAYS.map(([sign, name]) => h("li", {}, icon(sign), h("strong", {}, t(`welcome.${name}`)), h("span", { class: "hint" }, t(`welcome.${name}How`))));
  return h("div", { class: "welcome", hidden: true }, h("p", {}, t("history.empty")), h("ul", {}, ways));
}
