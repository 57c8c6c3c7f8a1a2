// first view: sending one file, telling how far it is.

import { ApiError, unreachable } from "../api.js";
import { currentLocale } from "../i18n.js";

const PATHS = { batch: "/api/batchTranscription/createJob", diarization: "/api/diarization/createJob" };

/**
 * Send a file; the same `id` sent again makes no second job. Gives the id of the job, and `abort` on the promise.
 * Rejects with ApiError.
 */
export function send({ id, file, options }, onprogress) {
  const request = new XMLHttpRequest();
  const sent = new Promise((resolve, reject) => {
    request.open("POST", PATHS[options.mode]);
    request.setRequestHeader("Accept-Language", currentLocale());
    request.setRequestHeader("Idempotency-Key", id);
    request.responseType = "json";
    request.upload.onprogress = (event) => onprogress(event.loaded / event.total);
    request.onload = () => settle(request, resolve, reject);
    request.onerror = () => reject(unreachable());
    request.send(form(file, options));
  });
  return Object.assign(sent, { abort: () => request.abort() });
}

function settle(request, resolve, reject) {
  if (request.status < 300 && request.response) resolve(request.response.data.job_uuid);
  else reject(new ApiError(request.status, request.response ?? {}, Number(request.getResponseHeader("Retry-After")) || null));
}

function form(file, { language }) {
  const data = new FormData();
  if (language) data.append("language", language);
  data.append("audioFile", file, file.name);
  return data;
}
