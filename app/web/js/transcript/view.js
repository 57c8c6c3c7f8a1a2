// One job: while it runs, how far it is and what was heard so far; then its transcript.

import { getJob } from "../api.js";
import { fill, h, icon } from "../dom.js";
import { clock, moment } from "../format.js";
import { t } from "../i18n.js";
import { languageOf } from "../languages.js";
import { onReach } from "../reach.js";
import { openTranscript } from "./open.js";
import { relatives } from "./relatives.js";
import { runningJob } from "./running.js";

/** The view at `/jobs/…`. */
export function transcriptView(main, jobId) {
  const view = new JobView(main, jobId);
  view.load();
  return () => view.end();
}

class JobView {
  constructor(main, jobId) {
    this.main = main;
    this.jobId = jobId;
    this.isLeft = false;
    main.className = "job-page";
    fill(main, h("p", { class: "empty", role: "status" }, t("loading")));
    this.endReach = onReach((isUp) => isUp && this.hasFailed && this.load());
  }

  end() {
    this.isLeft = true;
    this.endReach();
    this.inside?.end();
  }

  async load() {
    this.inside?.end();
    this.inside = null;
    try {
      const job = await getJob(this.jobId);
      if (!this.isLeft) await this.show(job);
      this.hasFailed = false;
    } catch (error) {
      this.hasFailed = true;
      if (!this.isLeft) this.say(error);
    }
  }

  async show(job) {
    document.title = `${job.filename} · Parloir`;
    if (job.status === "COMPLETED") {
      const opened = await openTranscript(job, (transcript) => heading(job, transcript));
      if (this.isLeft) return opened.end();
      this.inside = opened;
    } else {
      this.inside = runningJob(job, heading(job), () => !this.isLeft && this.load());
    }
    fill(this.main, this.inside.element);
    return this.inside.shown?.();
  }

  say(error) {
    const text = error.status === 404 ? t("job.notFound") : error.message;
    fill(this.main, h("div", { class: "card state", role: "alert" }, h("h1", {}, t(error.status === 404 ? "job.notFoundTitle" : "error.title")), h("p", {}, text), h("a", { class: "button", href: "#/" }, t("nav.home"))));
  }
}

function heading(job, transcript) {
  const facts = [moment(job.created_at), job.duration && clock(job.duration), job.engine && [job.engine, job.model].filter(Boolean).join(" "), languageOf(job)].filter(Boolean);
  const back = h("a", { class: "icon-button", href: "#/", "aria-label": t("nav.back"), title: t("nav.back") }, icon("back"));
  return h("div", { class: "title" }, back, h("div", {}, h("h1", {}, job.filename || t("history.unnamed")), h("p", { class: "facts" }, facts.join(" · "))), relatives(job, transcript));
}
