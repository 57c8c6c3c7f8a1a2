// first view: speaking to the service.

import { currentLocale, t, unbroken } from "./i18n.js";
import { seemsDown } from "./reach.js";

/** What the service, or the way to it, has said no with. `message` is for people, in their language. */
export class ApiError extends Error {
  constructor(status, { code, message, errors } = {}, retryAfter_s = null) {
    const fields = Object.values(errors ?? {}).flat().join(" ");
    super(unbroken([message ?? t("error.unexpected"), fields].filter(Boolean).join(" ")));
    this.status = status;
    this.code = code ?? "http_error";
    this.retryAfter_s = retryAfter_s;
  }

  /** Whether the service could not be reached at all. */
  get isUnreachable() {
    return this.status === 0;
  }
}

/** The service cannot be reached. */
export const unreachable = () => new ApiError(0, { code: "unreachable", message: t("error.unreachable") });

/** Call the API; gives what is in the envelope. Throws ApiError. */
export async function call(method, path, { query = {}, body, signal, keepalive } = {}) {
  const response = await answered(address(path, query), {
    method,
    signal,
    keepalive,
    headers: { "Accept-Language": currentLocale(), ...(isPlain(body) ? { "Content-Type": "application/json" } : {}) },
    body: isPlain(body) ? JSON.stringify(body) : body,
  });
  if (!response.ok) throw await refusal(response);
  const answer = await response.json();
  return answer.data ?? answer;
}

const isPlain = (body) => Boolean(body) && !(body instanceof FormData);

async function answered(url, request) {
  try {
    return await fetch(url, request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    seemsDown();
    throw unreachable();
  }
}

async function refusal(response) {
  const told = await response.json().catch(() => ({}));
  return new ApiError(response.status, told, Number(response.headers.get("Retry-After")) || null);
}

function address(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

function formOf(fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}

export const listJobs = (query, signal) => call("GET", "/api/jobs", { query, signal });
export const getJob = (id, signal) => call("GET", `/api/jobs/${id}`, { signal });
export const cancelJob = (id) => call("POST", `/api/jobs/${id}/cancel`);
export const retryJob = (id) => call("POST", `/api/jobs/${id}/retry`);
export const deleteJob = (id) => call("DELETE", `/api/jobs/${id}`, { keepalive: true });
export const changeJob = (id, body) => call("PATCH", `/api/jobs/${id}`, { body });
export const getTranscript = (id) => call("GET", `/api/jobs/${id}/transcript`, { query: { format: "json" } });
export const getEdits = (id) => call("GET", `/api/jobs/${id}/edits`);
export const getPeaks = (id) => call("GET", `/api/jobs/${id}/peaks`);
export const diarizeJob = (id) => call("POST", "/api/diarization/createJob", { body: formOf({ job_uuid: id }) });
export const getOperations = (signal) => call("GET", "/api/operations", { signal });
export const audioUrl = (id) => `/api/jobs/${id}/audio`;
export const exportUrl = (id, format, version) => `/api/jobs/${id}/transcript?format=${format}&version=${version}`;
