// What else there is, or could be, of the same recording.

import { diarizeJob } from "../api.js";
import { h, icon } from "../dom.js";
import { t } from "../i18n.js";
import { toast, toastError } from "../toast.js";

/** Links to the jobs that this one comes from or that do it anew, and a button that has its speakers told apart; without a transcript it is not done. */
export function relatives(job, transcript) {
  const better = job.refined_by?.at(-1);
  return h(
    "div",
    { class: "relatives" },
    better && link(better, "better", "live.openRefined"),
    job.source_id && link(job.source_id, "mic", "job.live"),
    transcript?.segments.length > 0 && !transcript.speakers.length && job.size_bytes > 0 && apart(job),
  );
}

const link = (jobId, sign, name) => h("a", { class: "button small second", href: `#/jobs/${jobId}` }, icon(sign), t(name));

const apart = (job) => h("button", { type: "button", class: "button small second", onclick: () => tellApart(job.job_id) }, icon("voices"), t("live.diarize"));

/** Have the speakers of a recording told apart, and go where that is shown. */
export async function tellApart(jobId) {
  try {
    const { job_uuid } = await diarizeJob(jobId);
    location.assign(`#/jobs/${job_uuid}`);
  } catch (error) {
    if (error.status === 404) toast(t("upload.noMode"), { kind: "bad" });
    else toastError(error);
  }
}
