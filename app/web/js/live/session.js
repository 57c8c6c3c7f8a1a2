// The one recording that may run; it goes on while other views are looked at.

import { getJob } from "../api.js";
import { t } from "../i18n.js";
import { openMicrophone } from "./microphone.js";
import { setRecording } from "./pill.js";
import { Stream } from "./stream.js";

const RUNNING = new Set(["connecting", "open", "lost"]);

class Session {
  constructor() {
    this.listeners = new Set();
    this.clear();
  }

  clear() {
    this.state = "idle";
    this.reason = "";
    this.note = "";
    this.finals = [];
    this.partial = "";
    this.isPaused = false;
    this.level = 0;
    this.stream = null;
    this.microphone = null;
  }

  /** Be told of all that happens: `{type}`. Gives what ends that. */
  listen(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell(event) {
    for (const listener of [...this.listeners]) listener(event);
  }

  /** Whether the microphone is, or should be, open. */
  get isRecording() {
    return RUNNING.has(this.state) && !this.isStopping;
  }

  /** How long was recorded, in seconds. */
  get recorded_s() {
    return this.stream ? this.stream.sound.end / this.stream.request.sampleRate : 0;
  }

  get jobId() {
    return this.stream?.jobId;
  }

  /** The job that does it again in the background, if that was asked for. */
  async refinedBy() {
    const { refined_by } = await getJob(this.jobId);
    return refined_by?.at(-1) ?? null;
  }

  async start(request) {
    this.clear();
    this.isRefined = request.refine;
    this.isKept = request.keepAudio;
    this.isStopping = false;
    this.become("connecting");
    try {
      this.microphone = await openMicrophone((sound, loudness) => this.take(sound, loudness), () => this.lostMicrophone());
      this.stream = new Stream({ ...request, sampleRate: this.microphone.rate_hz, interimResults: true }, (event) => this.happened(event));
      await this.stream.start();
      this.lock = await navigator.wakeLock?.request("screen").catch(() => null);
    } catch (error) {
      this.microphone?.close();
      this.become("failed", error.status === 404 ? t("live.unavailable") : error.message);
    }
  }

  take(sound, loudness) {
    if (this.isPaused) return;
    this.level = loudness;
    this.stream?.push(sound);
    this.tell({ type: "level" });
  }

  async pause() {
    this.isPaused = true;
    this.level = 0;
    await this.microphone.pause();
    this.stream.finalize();
    this.tell({ type: "state" });
  }

  async resume() {
    await this.microphone.resume();
    this.isPaused = false;
    this.tell({ type: "state" });
  }

  async stop() {
    if (this.isStopping) return;
    this.isStopping = true;
    this.isPaused = false;
    await this.closeMicrophone();
    this.stream.stop();
    this.tell({ type: "state" });
  }

  lostMicrophone() {
    this.note = t("live.microphoneLost");
    this.stop();
  }

  happened(event) {
    if (event.type === "final") this.hear(event.segment);
    if (event.type === "partial") this.partial = event.text;
    if (event.type === "behind") this.note = event.isBehind ? t("live.behind") : "";
    if (event.type === "gap") this.note = t("live.gap", { time: t("span.s", { n: event.seconds.toFixed(1) }) });
    if (event.type === "state") this.become(event.state, event.reason);
    else this.tell(event);
  }

  hear(segment) {
    this.partial = "";
    if (segment.text.trim()) this.finals.push(segment);
  }

  become(state, reason = "") {
    this.state = state;
    this.reason = reason;
    if (state === "done" || state === "failed") this.closeMicrophone();
    setRecording(this.isRecording);
    this.tell({ type: "state" });
  }

  async closeMicrophone() {
    const { microphone } = this;
    this.microphone = null;
    this.level = 0;
    await microphone?.close();
    this.lock?.release();
    setRecording(false);
  }
}

export const session = new Session();

addEventListener("beforeunload", (event) => {
  if (RUNNING.has(session.state) || session.state === "finishing") event.preventDefault();
});
