// The outline of a recording that no worker has drawn, as of older live sessions: drawn here, if it is not too long.

import { audioUrl } from "../api.js";

const RATE_HZ = 8000;
const BUCKET_SAMPLES = 80;
const MAX_BYTES = 40e6;
const MAX_S = 3600;

/** `{bucket_s, values}`; null if there is no recording, or too much of it, or in a format that the browser does not know. */
export async function outlineOf(job) {
  if (job.size_bytes > MAX_BYTES || !job.duration || job.duration > MAX_S) return null;
  try {
    const answer = await fetch(audioUrl(job.job_id));
    if (!answer.ok) return null;
    const decoder = new OfflineAudioContext(1, 1, RATE_HZ);
    const sound = (await decoder.decodeAudioData(await answer.arrayBuffer())).getChannelData(0);
    return { bucket_s: BUCKET_SAMPLES / RATE_HZ, values: pairs(sound) };
  } catch {
    return null;
  }
}

function pairs(sound) {
  const values = new Int8Array(Math.ceil(sound.length / BUCKET_SAMPLES) * 2);
  for (let i = 0; i < sound.length; i++) {
    const at = Math.floor(i / BUCKET_SAMPLES) * 2;
    const loud = Math.round(Math.max(-1, Math.min(1, sound[i])) * 127);
    if (loud < values[at]) values[at] = loud;
    if (loud > values[at + 1]) values[at + 1] = loud;
  }
  return values;
}
