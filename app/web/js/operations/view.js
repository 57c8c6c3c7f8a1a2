// How the service is doing, as it happens.

import { getOperations, listJobs, retryJob } from "../api.js";
import { fill, h, iconButton } from "../dom.js";
import { moment, number, size, span } from "../format.js";
import { t } from "../i18n.js";
import { jobProgress } from "../progress.js";
import { toastError } from "../toast.js";
import { table } from "./table.js";

const EVERY_MS = 2000;
const SHOWN = 20;
const WIDE = new Set(["running", "failed"]);

/** The view at `/operations`. */
export function operationsView(main) {
  const view = new Operations(main);
  view.look();
  return () => view.end();
}

class Operations {
  constructor(main) {
    this.parts = Object.fromEntries(["state", "hour", "queues", "workers", "running", "failed"].map((name) => [name, h("section", { class: WIDE.has(name) ? "card wide" : "card" })]));
    fill(main, h("h1", {}, t("nav.operations")), h("div", { class: "panels" }, Object.values(this.parts)));
    this.asked = new AbortController();
  }

  end() {
    clearTimeout(this.timer);
    this.asked.abort();
  }

  async look() {
    const { signal } = this.asked;
    try {
      const [told, running, failed] = await Promise.all([getOperations(signal), listJobs({ state: "PROCESSING", limit: SHOWN }, signal), listJobs({ state: "FAILED", limit: SHOWN }, signal)]);
      this.show(told, running.jobs, failed.jobs);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.fail(error);
    }
    this.timer = setTimeout(() => (document.hidden ? this.later() : this.look()), EVERY_MS);
  }

  later() {
    this.timer = setTimeout(() => (document.hidden ? this.later() : this.look()), EVERY_MS);
  }

  fail(error) {
    this.renew("state", error.message, () => [h("h2", {}, t("ops.state")), h("p", { class: "reason" }, error.message)]);
  }

  show(told, running, failed) {
    this.renew("state", [told.database, told.redis, told.storage], () => state(told));
    this.renew("queues", told.queues, () => queues(told.queues));
    this.renew("workers", told.workers, () => workers(told.workers));
    this.renew("running", running, () => runs(running));
    this.renew("failed", failed, () => this.failures(failed));
    this.renew("hour", told.last_hour, () => lastHour(told.last_hour));
  }

  /** A part is made again only when it has something else to say, so that the keyboard's place in it stays. */
  renew(name, told, make) {
    const key = JSON.stringify(told);
    const part = this.parts[name];
    if (part.told === key) return;
    const focused = part.contains(document.activeElement) ? document.activeElement.dataset.job : null;
    part.told = key;
    fill(part, make());
    if (focused) part.querySelector(`[data-job="${focused}"]`)?.focus();
  }

  failures(jobs) {
    const rows = jobs.map((job) => [
      h("a", { href: `#/jobs/${job.job_id}` }, job.filename),
      moment(job.finished_at),
      h("span", { class: "long" }, job.error.message),
      iconButton("retry", t("act.retry", { name: job.filename }), () => this.retry(job), { "data-job": job.job_id }),
    ]);
    return [h("h2", {}, t("ops.failed")), table(t("ops.failed"), ["ops.recording", "ops.when", "ops.reason", "ops.again"], rows, t("ops.noneFailed"))];
  }

  async retry(job) {
    await retryJob(job.job_id).catch(toastError);
    clearTimeout(this.timer);
    this.look();
  }
}

function state({ database, redis, storage }) {
  const part = (name, isUp) => h("span", { class: `badge ${isUp ? "completed" : "failed"}` }, `${name} ${t(isUp ? "ops.up" : "ops.down")}`);
  const room = storage && h("p", { class: "facts" }, t("ops.room", { free: size(storage.free_bytes), total: size(storage.total_bytes) }));
  return [h("h2", {}, t("ops.state")), h("p", { class: "badge-line" }, part("PostgreSQL", database), part("Redis", redis)), room];
}

function queues(told) {
  const rows = told.map((queue) => [t(`mode.${queue.mode}`), number(queue.waiting), number(queue.running), queue.waiting ? span(queue.oldest_s) : "–", queue.wait_p50_s === null ? "–" : span(queue.wait_p50_s), queue.drift ?? "–"]);
  return [h("h2", {}, t("ops.queues")), table(t("ops.queues"), ["ops.queue", "ops.waiting", "ops.running", "ops.oldest", "ops.wait", "ops.drift"], rows, t("ops.unknown"))];
}

/** A worker's name, which may be broken where its parts meet. */
const named = (worker) => h("span", {}, worker.name.split(/(?<=:)/).flatMap((part) => [part, h("wbr")]));

function workers(told) {
  const rows = told.map((worker) => [named(worker), t(`mode.${worker.mode}`), `${worker.busy}/${worker.slots}`, number(worker.completed), number(worker.failed), number(worker.crashes)]);
  return [h("h2", {}, t("ops.workers")), table(t("ops.workers"), ["ops.worker", "ops.mode", "ops.busy", "ops.done", "ops.failures", "ops.crashes"], rows, t("ops.noWorkers"))];
}

function runs(jobs) {
  const rows = jobs.map((job) => [h("a", { href: `#/jobs/${job.job_id}` }, job.filename), t(`mode.${job.mode}`), jobProgress(job)]);
  return [h("h2", {}, t("ops.inFlight")), table(t("ops.inFlight"), ["ops.recording", "ops.mode", "ops.progress"], rows, t("ops.noneRunning"))];
}

function lastHour(hour) {
  const n = (name) => number(hour.ended[name] ?? 0);
  const figures = hour && [["state.COMPLETED", n("COMPLETED")], ["state.FAILED", n("FAILED")], ["state.CANCELLED", n("CANCELLED")], ["ops.crashes", number(hour.crashes)]];
  return [h("h2", {}, t("ops.hour")), figures ? h("dl", { class: "figures" }, figures.map(([name, value]) => h("div", {}, h("dt", {}, t(name)), h("dd", {}, value)))) : h("p", { class: "empty" }, t("ops.unknown"))];
}
