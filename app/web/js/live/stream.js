// A live session over a socket that may break: what is said is sent once, in order, whatever happens to the connection.

import { ApiError, call, getJob } from "../api.js";
import { t } from "../i18n.js";
import { Sound } from "./sound.js";

const BASE = "/api/streamingTranscription";
const SEND_AT_ONCE_BYTES = 256 * 1024;
const DEAF_MS = 10000;
const KEEPALIVE_MS = 15000;
const PAUSES_MS = [300, 700, 1500, 3000, 5000];
const REFUSED = new Set([1008, 1009]);
const ENDED_BADLY = new Set(["FAILED", "CANCELLED"]);

/**
 * One session. `tell(event)` is called with `{type, …}`: state (connecting, open, lost, finishing, done, failed), partial,
 * final, behind, gap.
 */
export class Stream {
  constructor(request, tell) {
    this.request = request;
    this.tell = tell;
    this.sound = new Sound();
    this.sent = 0;
    this.lastSeq = 0;
    this.n_failed = 0;
    this.isBehind = false;
    this.isStopping = false;
    this.isOver = false;
  }

  /** Ask for a session and connect. Throws ApiError if there is none to be had. */
  async start() {
    this.state("connecting");
    await this.create();
    this.connect();
    this.watch = setInterval(() => this.look(), 1000);
  }

  /** Take sound: kept until it is no longer needed, sent when it can be. */
  push(samples) {
    this.sound.append(samples);
    this.pump();
  }

  /** Have what was said until now told for good. */
  finalize() {
    this.say({ type: "finalize" });
  }

  /** No more sound comes; the session ends when all of it was heard. */
  stop() {
    this.isStopping = true;
    if (this.isReady) this.state("finishing");
    this.pump();
  }

  async create() {
    const { job_uuid } = await call("POST", `${BASE}/createJob`, { body: { ...this.request, encoding: "pcm_s16le" } });
    this.jobId = job_uuid;
    this.token = null;
  }

  connect() {
    const query = new URLSearchParams({ job_uuid: this.jobId, after: this.lastSeq });
    if (this.token) query.set("resume_token", this.token);
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${BASE}/stream?${query}`);
    socket.onmessage = ({ data }) => socket === this.socket && this.heard(JSON.parse(data));
    socket.onclose = ({ code }) => socket === this.socket && this.closed(code);
    this.socket = socket;
    this.heardAt = Date.now();
  }

  heard(message) {
    this.heardAt = Date.now();
    this[`on_${message.type}`]?.(message);
  }

  on_ready({ resume_token, received, committed }) {
    this.token = resume_token ?? this.token;
    this.isReady = true;
    this.hasSaidStop = false;
    this.n_failed = 0;
    this.mind(received);
    this.sound.dropBefore(committed);
    this.state(this.isStopping ? "finishing" : "open");
    this.pump();
  }

  /** Go on from what the service has; what it lacks and is not here any more is sent as silence, and said. */
  mind(received) {
    if (received < this.sound.start) this.tell({ type: "gap", seconds: (this.sound.start - received) / this.request.sampleRate });
    this.sent = received;
  }

  on_ack({ committed }) {
    this.sound.dropBefore(committed);
  }

  on_flow({ action }) {
    this.isBehind = action === "pause";
    this.tell({ type: "behind", isBehind: this.isBehind });
    this.pump();
  }

  on_partial(message) {
    this.tell(message);
  }

  on_final(message) {
    if (message.seq <= this.lastSeq) return;
    this.lastSeq = message.seq;
    this.tell(message);
  }

  on_completed() {
    this.end("done");
  }

  on_error({ code, message }) {
    this.problem = { code, message };
  }

  pump() {
    if (!this.isReady) return;
    while (!this.isBehind && this.socket.bufferedAmount < SEND_AT_ONCE_BYTES) {
      const samples = this.sound.next(this.sent);
      if (!samples.length) break;
      this.socket.send(samples);
      this.sent += samples.length;
      this.saidAt = Date.now();
    }
    if (this.isStopping && this.sent >= this.sound.end && !this.hasSaidStop) {
      this.hasSaidStop = true;
      this.say({ type: "stop" });
    }
  }

  say(message) {
    if (!this.isReady) return;
    this.socket.send(JSON.stringify(message));
    this.saidAt = Date.now();
  }

  /** Once a second: a connection may be dead without saying so; one that is only silent must not look dead. */
  look() {
    const now = Date.now();
    const isWaiting = this.saidAt > this.heardAt && now - this.heardAt > DEAF_MS;
    if (this.isReady && isWaiting) this.lose();
    else if (this.isReady && now - this.saidAt > KEEPALIVE_MS) this.say({ type: "keepalive" });
    this.pump();
  }

  lose() {
    this.socket.onclose = null;
    this.socket.close();
    this.closed(1006);
  }

  closed(code) {
    if (this.isOver) return;
    this.isReady = false;
    this.isBehind = false;
    if (REFUSED.has(code) && !this.isNewSessionNeeded()) this.end("failed", this.problem?.message);
    else this.comeBack();
  }

  /** The answer that held our token was lost: all sound is still here, so another session can have it. */
  isNewSessionNeeded() {
    return !this.token && this.problem?.code === "token_refused";
  }

  comeBack() {
    this.state("lost");
    const pause_ms = PAUSES_MS[Math.min(this.n_failed++, PAUSES_MS.length - 1)];
    this.timer = setTimeout(() => this.tryAgain(), pause_ms);
  }

  async tryAgain() {
    try {
      if (this.isNewSessionNeeded()) await this.create();
      else if (await this.hasEndedBadly()) return;
      this.problem = null;
      this.connect();
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) this.end("failed", error.message);
      else this.comeBack();
    }
  }

  async hasEndedBadly() {
    const job = await getJob(this.jobId);
    if (ENDED_BADLY.has(job.status)) this.end("failed", job.error?.message ?? this.problem?.message ?? t(`state.${job.status}`));
    return this.isOver;
  }

  end(state, reason = "") {
    if (this.isOver) return;
    this.isOver = true;
    clearInterval(this.watch);
    clearTimeout(this.timer);
    this.state(state, reason);
    this.socket?.close();
  }

  state(state, reason = "") {
    this.tell({ type: "state", state, reason });
  }
}
