// first view: hand recordings in, find those that were.

import { fill, h } from "../dom.js";
import { t } from "../i18n.js";
import { uploadPanel } from "../uploads/panel.js";
import { historyList } from "./list.js";

/** The view at `/`. */
export function homeView(main) {
  const history = historyList();
  const uploads = uploadPanel((jobId) => history.add(jobId));
  fill(main, h("h1", { class: "visually-hidden" }, t("nav.home")), uploads.element, history.element);
  return () => {
    uploads.end();
    history.end();
  };
}
