// first view: how far a job is, in a bar and in words.

import { h } from "./dom.js";
import { percent, span } from "./format.js";
import { t } from "./i18n.js";

/** Of a job that waits or runs. */
export function jobProgress(job) {
  const words = inWords(job);
  const bar = h("progress", { max: 1, value: job.status === "QUEUED" ? undefined : job.progress, "aria-label": words });
  return h("div", { class: "progress" }, bar, h("span", {}, words));
}

function inWords(job) {
  if (job.cancel_requested) return t("progress.cancelling");
  if (job.status === "QUEUED") return job.position ? t("progress.position", { n: job.position }) : t("progress.queued");
  const done = percent(job.progress);
  return job.eta_seconds ? t("progress.left", { done, time: span(job.eta_seconds) }) : t("progress.running", { done });
}
