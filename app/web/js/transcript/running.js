// A job that is not done: how far it is, what was heard so far, or why it failed.

import { cancelJob, getJob, retryJob } from "../api.js";
import { fill, h } from "../dom.js";
import { clock } from "../format.js";
import { t } from "../i18n.js";
import { jobProgress } from "../progress.js";
import { toastError } from "../toast.js";

const LOOK_EVERY_MS = 1500;
const FINAL = new Set(["COMPLETED", "FAILED", "CANCELLED"]);

/** `onended` is called when it has come to another state that is shown otherwise. */
export function runningJob(job, head, onended) {
  return new RunningJob(job, head, onended);
}

class RunningJob {
  constructor(job, head, onended) {
    this.job = job;
    this.onended = onended;
    this.standing = h("div", { class: "card standing" });
    this.heard = h("div", { class: "heard card", role: "log", "aria-label": t("job.soFar") });
    this.element = h("div", {}, head, this.standing, this.heard);
    this.segments = new Set();
    this.show(job);
    if (!FINAL.has(job.status)) this.follow();
  }

  end() {
    clearInterval(this.timer);
    this.events?.close();
  }

  follow() {
    this.events = new EventSource(`/api/jobs/${this.job.job_id}/events`);
    this.events.onmessage = ({ data }) => this.happened(JSON.parse(data));
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  happened(event) {
    if (event.type === "segment") this.hear(event.segment);
    else if (event.type !== "progress" || event.progress === undefined) this.look();
    else this.show({ ...this.job, progress: event.progress });
  }

  hear(segment) {
    const key = `${segment.start}-${segment.end}`;
    if (this.segments.has(key)) return;
    this.segments.add(key);
    this.heard.append(h("p", {}, h("span", { class: "time" }, clock(segment.start)), " ", segment.text));
  }

  async look() {
    const now = await getJob(this.job.job_id).catch(() => null);
    if (!now) return;
    if (FINAL.has(now.status)) {
      this.end();
      this.onended();
    } else this.show(now);
  }

  show(job) {
    this.job = job;
    fill(this.standing, FINAL.has(job.status) ? this.ended(job) : [jobProgress(job), this.act(cancelJob, "act.cancel", job, job.cancel_requested)]);
  }

  ended(job) {
    const reason = job.status === "FAILED" ? job.error?.message : null;
    return [h("p", { class: "badge-line" }, h("span", { class: `badge ${job.status.toLowerCase()}` }, t(`state.${job.status}`))), reason && h("p", { class: "reason" }, reason), this.act(retryJob, "act.retry", job)];
  }

  act(act, name, job, isOver = false) {
    const run = () => act(job.job_id).catch(toastError).finally(() => this.onended());
    return !isOver && h("button", { type: "button", class: "button small second", onclick: run }, t(name, { name: "" }));
  }
}
