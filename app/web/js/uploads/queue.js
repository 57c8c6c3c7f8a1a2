// first view: the files on their way to the service: a few at a time, again when the way was blocked.

import { t } from "../i18n.js";
import { isReachable, onReach, seemsDown } from "../reach.js";
import { send } from "./send.js";
import { forget, keep, remembered } from "./store.js";

const AT_ONCE = 2;
const PAUSE_S = 3;
const WORTH_ANOTHER_TRY = new Set([429, 503]);
const STILL_TAKEN_IN = "idempotency_key_in_use";

const uploads = [];
const listeners = new Set();

/** The uploads that are not over: `{id, file, options, state, fraction, error}`; `state` is waiting, sending or refused. */
export const currentUploads = () => uploads;

/** Be told of changes, and of each job that was made (its id). Gives what ends that. */
export function onUploads(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Send files. */
export function addFiles(files, options) {
  for (const file of files) add({ id: randomId(), file, options });
  next();
}

/** Stop an upload, or put a refused one away. */
export function dropUpload(upload) {
  upload.sending?.abort();
  remove(upload);
  next();
}

function add(upload) {
  uploads.push({ ...upload, state: "waiting", fraction: 0, error: null });
  keep(upload);
}

function remove(upload) {
  uploads.splice(uploads.indexOf(upload), 1);
  forget(upload.id);
  tell();
}

function tell(jobId = null) {
  for (const listener of [...listeners]) listener(jobId);
}

function next() {
  const free = AT_ONCE - uploads.filter((upload) => upload.state === "sending").length;
  if (isReachable()) uploads.filter((upload) => upload.state === "waiting").slice(0, Math.max(0, free)).forEach(start);
  tell();
}

async function start(upload) {
  upload.state = "sending";
  upload.sending = send(upload, (fraction) => {
    upload.fraction = fraction;
    tell();
  });
  try {
    const jobId = await upload.sending;
    remove(upload);
    tell(jobId);
  } catch (error) {
    failed(upload, error);
  }
  next();
}

function failed(upload, error) {
  const isRetried = error.isUnreachable || WORTH_ANOTHER_TRY.has(error.status) || error.code === STILL_TAKEN_IN;
  upload.error = error.status === 404 ? t("upload.noMode") : error.message;
  upload.state = isRetried ? "paused" : "refused";
  if (!isRetried) return forget(upload.id);
  if (error.isUnreachable) return seemsDown();
  return setTimeout(() => again(upload), (error.retryAfter_s ?? PAUSE_S) * 1000);
}

function again(upload) {
  upload.state = "waiting";
  upload.error = null;
  next();
}

/** crypto.randomUUID is not there on a page that came over plain HTTP. */
const randomId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

onReach((isUp) => isUp && uploads.filter((upload) => upload.state === "paused").forEach(again));
remembered().then((left) => {
  left.forEach(add);
  next();
});
addEventListener("beforeunload", (event) => {
  if (uploads.some((upload) => upload.state === "sending")) event.preventDefault();
});
