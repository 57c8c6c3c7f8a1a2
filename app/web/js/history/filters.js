// first view: which jobs are wanted.

import { debounced, h } from "../dom.js";
import { t } from "../i18n.js";

const TYPED_MS = 250;
const STATES = ["QUEUED", "PROCESSING", "COMPLETED", "FAILED", "CANCELLED"];
const MODES = ["batch", "streaming", "diarization"];

/** Search and filters; `onchange` is called when something else is wanted. */
export function filterBar(onchange) {
  const words = h("input", { type: "search", id: "search", placeholder: t("history.search"), "aria-label": t("history.search"), oninput: debounced(onchange, TYPED_MS) });
  const state = choice("state", t("history.anyState"), STATES.map((one) => [one, t(`state.${one}`)]), onchange);
  const mode = choice("mode", t("history.anyMode"), MODES.map((one) => [one, t(`mode.${one}`)]), onchange);
  return {
    element: h("div", { class: "filters", role: "search" }, words, state, mode),
    read: () => ({ q: words.value.trim(), state: state.value, mode: mode.value }),
    isSet: () => Boolean(words.value.trim() || state.value || mode.value),
  };
}

function choice(id, any, choices, onchange) {
  const options = [["", any], ...choices].map(([value, text]) => h("option", { value }, text));
  return h("select", { id: `filter-${id}`, "aria-label": any, onchange: () => onchange() }, options);
}
