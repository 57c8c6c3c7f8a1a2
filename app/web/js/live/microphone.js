// The microphone, as chunks of 16-bit samples.

import { t } from "../i18n.js";

const RATE_HZ = 16000;
const WANTED = { audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: true } };
const REFUSED = new Set(["NotAllowedError", "SecurityError"]);

/** Why there is no microphone, in words. */
export class NoMicrophone extends Error {}

/** Open it. `onchunk(sound, loudness)` is called ten times a second, `onlost` if it is unplugged. Throws NoMicrophone. */
export async function openMicrophone(onchunk, onlost) {
  if (!navigator.mediaDevices) throw new NoMicrophone(t("live.insecure"));
  const stream = await granted();
  const context = listening(stream);
  await context.audioWorklet.addModule(new URL("./worklet.js", import.meta.url));
  const chunks = new AudioWorkletNode(context, "chunks", { numberOfOutputs: 0 });
  chunks.port.onmessage = ({ data }) => onchunk(data.sound, data.loudness);
  context.createMediaStreamSource(stream).connect(chunks);
  stream.getAudioTracks()[0].addEventListener("ended", onlost);
  await context.resume();
  return new Microphone(stream, context, chunks);
}

class Microphone {
  constructor(stream, context, chunks) {
    this.stream = stream;
    this.context = context;
    this.chunks = chunks;
  }

  get rate_hz() {
    return this.context.sampleRate;
  }

  pause() {
    return this.context.suspend();
  }

  resume() {
    return this.context.resume();
  }

  /** Close it; what it has heard so far has all been given when this is done. */
  async close() {
    await this.context.resume();
    const last = new Promise((resolve) => this.chunks.port.addEventListener("message", resolve, { once: true }));
    this.chunks.port.postMessage("flush");
    await Promise.race([last, new Promise((resolve) => setTimeout(resolve, 300))]);
    this.stream.getTracks().forEach((track) => track.stop());
    await this.context.close();
  }
}

async function granted() {
  try {
    return await navigator.mediaDevices.getUserMedia(WANTED);
  } catch (error) {
    throw new NoMicrophone(t(REFUSED.has(error.name) ? "live.refused" : "live.noMicrophone"));
  }
}

/** At 16 kHz where the browser converts a microphone's rate, else at its own. */
function listening(stream) {
  const context = new AudioContext({ sampleRate: RATE_HZ });
  try {
    context.createMediaStreamSource(stream).disconnect();
    return context;
  } catch {
    context.close();
    return new AudioContext();
  }
}
