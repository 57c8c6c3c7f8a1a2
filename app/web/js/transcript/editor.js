// Correcting a segment in its place.

import { fill, h } from "../dom.js";
import { t } from "../i18n.js";

/** Put an editor into a row. `onsave(text)` may refuse by throwing; `onend()` is called when the row is to be shown again. */
export function editInPlace(row, segment, { onsave, onend, onresize }) {
  const area = h("textarea", { "aria-label": t("editor.label"), rows: "1", dir: "auto", lang: row.querySelector(".words").lang, onkeydown: key, oninput: grow }, segment.text);
  const save = h("button", { type: "button", class: "button small", onclick: () => finish(true) }, t("editor.save"));
  const cancel = h("button", { type: "button", class: "plain", onclick: () => finish(false) }, t("editor.cancel"));
  const problem = h("span", { class: "reason", role: "alert" });
  row.classList.add("is-editing");
  fill(row.querySelector(".words"), area, h("span", { class: "editor-acts" }, save, cancel, h("span", { class: "hint" }, t("editor.keys")), problem));
  grow();
  area.focus();
  area.setSelectionRange(area.value.length, area.value.length);

  function key(event) {
    event.stopPropagation();
    if (event.key === "Escape") finish(false);
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      finish(true);
    }
  }

  function grow() {
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + 2}px`;
    onresize();
  }

  async function finish(isSaved) {
    const text = area.value.trim().replace(/\s+/g, " ");
    save.disabled = true;
    try {
      if (isSaved && text !== segment.text) await onsave(text);
      onend();
    } catch (error) {
      problem.textContent = error.message;
      save.disabled = false;
      onresize();
    }
  }
}
