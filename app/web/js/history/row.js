// first view: one job in the list.

import { cancelJob, retryJob } from "../api.js";
import { fill, h, iconButton } from "../dom.js";
import { clock, moment } from "../format.js";
import { t } from "../i18n.js";
import { languageOf } from "../languages.js";
import { jobProgress } from "../progress.js";
import { toastError } from "../toast.js";
import { removeJob } from "./removal.js";

const AGAIN = new Set(["FAILED", "CANCELLED"]);
const RUNNING = new Set(["QUEUED", "PROCESSING"]);

/** A row; `renew(job)` shows how the job stands now. */
export function jobRow(job, actions) {
  const element = h("li", { class: "job" });
  const row = {
    element,
    job,
    renew(now) {
      if (JSON.stringify(now) === JSON.stringify(row.job) && element.childElementCount) return;
      const hadFocus = element.contains(document.activeElement) && document.activeElement.dataset.act;
      row.job = now;
      show(element, now, actions);
      if (hadFocus) element.querySelector(`[data-act=${hadFocus}]`)?.focus();
    },
  };
  row.renew(job);
  return row;
}

function show(element, job, actions) {
  const name = h("a", { class: "name", href: `#/jobs/${job.job_id}`, "data-act": "open" }, job.filename || t("history.unnamed"));
  const badge = h("span", { class: `badge ${job.status.toLowerCase()}` }, t(`state.${job.status}`));
  const facts = [moment(job.created_at), job.duration && clock(job.duration), t(`mode.${job.mode}`), languageOf(job)].filter(Boolean);
  const details = h("span", { class: "facts" }, facts.join(" · "));
  fill(element, h("div", { class: "job-head" }, name, badge), details, state(job), h("div", { class: "acts" }, buttons(job, actions)));
}

function state(job) {
  if (job.status === "FAILED") return h("p", { class: "reason" }, job.error?.message);
  return RUNNING.has(job.status) && jobProgress(job);
}

function buttons(job, { onchange, onremove, onrestore }) {
  const doing = (act) => () => act(job.job_id).catch(toastError).finally(() => onchange(job.job_id));
  const remove = () => {
    removeJob(job, onrestore);
    onremove(job.job_id);
  };
  return [
    AGAIN.has(job.status) && button("retry", job, doing(retryJob)),
    RUNNING.has(job.status) && !job.cancel_requested && button("cancel", job, doing(cancelJob)),
    !RUNNING.has(job.status) && button("remove", job, remove),
  ];
}

function button(act, job, onclick) {
  const label = t(`act.${act}`, { name: job.filename });
  return iconButton(act === "cancel" ? "close" : act, label, onclick, { "data-act": act });
}
