// first view: the jobs of the project, newest first; those that run are looked at again and again.

import { getJob, listJobs } from "../api.js";
import { fill, h } from "../dom.js";
import { t } from "../i18n.js";
import { onReach } from "../reach.js";
import { isRemoved } from "./removal.js";
import { filterBar } from "./filters.js";
import { welcome } from "./welcome.js";
import { jobRow } from "./row.js";

const LOOK_EVERY_MS = 1000;
const LOOKED_AT_ONCE = 8;
const PAGE = 30;
const ENDED = new Set(["COMPLETED", "FAILED", "CANCELLED"]);

/** The list. `add(id)` puts a new job on top; `end` is called when the view is left. */
export function historyList() {
  return new HistoryList();
}

class HistoryList {
  constructor() {
    this.rows = new Map();
    this.cursor = null;
    this.filters = filterBar(() => this.load());
    this.note = h("p", { class: "empty", role: "status" });
    this.welcome = welcome();
    this.list = h("ul", { class: "jobs" });
    this.more = h("button", { type: "button", class: "plain more", hidden: true, onclick: () => this.loadMore() }, t("history.more"));
    this.element = h("section", { "aria-labelledby": "history" }, h("h2", { id: "history" }, t("history.title")), this.filters.element, this.note, this.welcome, this.list, this.more);
    this.endReach = onReach((isUp) => isUp && this.load());
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.load();
  }

  end() {
    clearInterval(this.timer);
    this.asked?.abort();
    this.endReach();
  }

  async load() {
    this.asked?.abort();
    const asked = (this.asked = new AbortController());
    this.added = [];
    try {
      const page = await listJobs({ ...this.filters.read(), limit: PAGE }, asked.signal);
      this.rows.clear();
      fill(this.list);
      this.show(page);
      this.added.forEach((job) => this.put(job, "prepend"));
    } catch (error) {
      if (error.name !== "AbortError") this.say(error.message);
    }
  }

  async loadMore() {
    try {
      this.show(await listJobs({ ...this.filters.read(), limit: PAGE, cursor: this.cursor }));
    } catch (error) {
      this.say(error.message);
    }
  }

  show({ jobs, next_cursor }) {
    for (const job of jobs) this.put(job, "append");
    this.cursor = next_cursor;
    this.more.hidden = !next_cursor;
    this.sayIfEmpty();
  }

  async add(jobId) {
    const job = await getJob(jobId).catch(() => null);
    if (!job) return;
    this.added.push(job); // the list may have been asked for before there was such a job, and come after it
    this.put(job, "prepend");
    this.sayIfEmpty();
  }

  put(job, place) {
    if (this.rows.has(job.job_id) || isRemoved(job.job_id)) return;
    const row = jobRow(job, { onchange: (id) => this.lookAt(id), onremove: (id) => this.remove(id), onrestore: () => this.load() });
    this.rows.set(job.job_id, row);
    this.list[place](row.element);
  }

  remove(jobId) {
    this.rows.get(jobId)?.element.remove();
    this.rows.delete(jobId);
    this.sayIfEmpty();
  }

  look() {
    if (document.hidden) return;
    const running = [...this.rows.values()].filter((row) => !ENDED.has(row.job.status));
    running.slice(-LOOKED_AT_ONCE).forEach((row) => this.lookAt(row.job.job_id));
  }

  async lookAt(jobId) {
    const row = this.rows.get(jobId);
    if (!row || row.isAsked) return;
    row.isAsked = true;
    try {
      row.renew(await getJob(jobId));
    } catch (error) {
      if (error.status === 404) this.remove(jobId);
    }
    row.isAsked = false;
  }

  sayIfEmpty() {
    const isFresh = !this.rows.size && !this.filters.isSet();
    this.say(this.rows.size || isFresh ? "" : t("history.nothingFound"));
    this.welcome.hidden = !isFresh;
    this.filters.element.hidden = isFresh;
  }

  say(text) {
    this.note.textContent = text;
    this.note.hidden = !text;
  }
}
