// first view: the sign, on every view, that the microphone is open.

import { h } from "../dom.js";
import { t } from "../i18n.js";

const pills = new Set();
let isOpen = false;

/** A link to the recording, there only while it runs. */
export function recordingPill() {
  const pill = h("a", { class: "pill", href: "#/live", hidden: !isOpen }, t("live.pill"));
  pills.add(new WeakRef(pill));
  return pill;
}

/** Say whether it runs. */
export function setRecording(value) {
  isOpen = value;
  for (const kept of pills) {
    const pill = kept.deref();
    if (pill) pill.hidden = !value;
    else pills.delete(kept);
  }
}
