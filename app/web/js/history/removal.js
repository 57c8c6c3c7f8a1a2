// first view: deletion with a moment to think better of it.

import { deleteJob } from "../api.js";
import { t } from "../i18n.js";
import { toast, toastError } from "../toast.js";

const waiting = new Map();

/** Whether a job is about to be deleted. */
export const isRemoved = (jobId) => waiting.has(jobId);

/** Delete a job, unless `Undo` is pressed in time; then `onrestore` is called. */
export function removeJob(job, onrestore) {
  const end = toast(t("history.deleted", { name: job.filename }), {
    action: t("undo"),
    onend: (isUndone) => (isUndone ? restore(job.job_id, onrestore) : remove(job.job_id, onrestore)),
  });
  waiting.set(job.job_id, end);
}

function flushRemovals() {
  for (const end of [...waiting.values()]) end(false);
}

function restore(jobId, onrestore) {
  waiting.delete(jobId);
  onrestore();
}

async function remove(jobId, onrestore) {
  try {
    await deleteJob(jobId);
  } catch (error) {
    if (error.status === 404) return;
    toastError(error);
    restore(jobId, onrestore);
  }
  waiting.delete(jobId);
}

addEventListener("pagehide", flushRemovals);
