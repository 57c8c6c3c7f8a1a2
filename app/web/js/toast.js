// first view: short messages at the edge, with something to do about them.

import { h, iconButton } from "./dom.js";
import { t } from "./i18n.js";

const SHOWN_MS = 6000;
let shelf;

/** Where they appear; spoken by screen readers. */
export function makeShelf() {
  shelf = h("div", { class: "toasts", role: "status", "aria-live": "polite" });
  return shelf;
}

/** Show a message; `action` is a button in it. `onend(wasActed)` is called when it goes. */
export function toast(text, { action, onend, kind = "", shown_ms = SHOWN_MS } = {}) {
  const end = (wasActed) => {
    if (!box.isConnected) return;
    clearTimeout(timer);
    box.remove();
    onend?.(wasActed);
  };
  const button = action && h("button", { type: "button", class: "plain", onclick: () => end(true) }, action);
  const close = iconButton("close", t("close"), () => end(false));
  const box = h("div", { class: `toast ${kind}` }, h("span", {}, text), button, close);
  const timer = setTimeout(() => end(false), shown_ms);
  shelf.append(box);
  return end;
}

/** Say what went wrong. */
export const toastError = (error) => toast(error.message, { kind: "bad" });
