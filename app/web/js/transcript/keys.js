// What the keyboard does in a transcript.

import { h, iconButton } from "../dom.js";
import { t } from "../i18n.js";

const TYPED_INTO = "input:not([type=checkbox]), textarea, select, dialog";
const OWN_SPACE = "button, a, summary, input";
const SHOWN = ["Space", "← →", "⇧← ⇧→", "− +", "S", "E", "Ctrl Z", "/", "F"];

/** Let keys act; gives what ends that. `acts` are by the names below. */
export function listenToKeys(acts) {
  const listen = (event) => {
    if (event.target.closest(TYPED_INTO) || event.altKey) return;
    const act = acts[nameOf(event)];
    if (!act || (event.key === " " && event.target.closest(OWN_SPACE))) return;
    event.preventDefault();
    act();
  };
  addEventListener("keydown", listen);
  return () => removeEventListener("keydown", listen);
}

function nameOf(event) {
  if (event.ctrlKey || event.metaKey) return event.key.toLowerCase() === "z" ? "undo" : null;
  const arrows = event.shiftKey ? { ArrowLeft: "previous", ArrowRight: "next" } : { ArrowLeft: "back", ArrowRight: "forth" };
  const others = { " ": "toggle", "+": "faster", "=": "faster", "-": "slower", s: "skip", e: "edit", "/": "search", f: "follow", "?": "help" };
  return { ...arrows, ...others }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
}

/** A button that says what the keys do. */
export function keysHelp() {
  const rows = SHOWN.map((key, n) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, t(`keys.${n}`))));
  const dialog = h("dialog", { class: "keys", "aria-labelledby": "keys-title" }, h("h2", { id: "keys-title" }, t("keys.title")), h("dl", {}, rows), h("form", { method: "dialog" }, h("button", { class: "button small" }, t("close"))));
  const button = iconButton("keys", t("keys.title"), () => dialog.showModal(), { class: "icon-button wide-only" });
  return { element: h("span", {}, button, dialog), open: () => dialog.showModal() };
}
