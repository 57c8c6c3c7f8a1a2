// The recording as a picture: how loud it is, who speaks, where one is. A slider, for the keyboard.

import { h } from "../dom.js";
import { clock } from "../format.js";
import { t } from "../i18n.js";
import { onTheme } from "../theme.js";
import { speakerColor } from "./colors.js";

const LANE_PX = 5;
const MAX_ZOOM = 400;
const STEP_S = 5;

/** `peaks` may be null: then there are lanes and the place only. `onseek(time_s)` is called when a place is pointed at. */
export class Waveform {
  constructor(transcript, peaks, onseek) {
    this.transcript = transcript;
    this.levels = peaks ? levelsOf(valuesOf(peaks)) : [];
    this.onseek = onseek;
    this.zoom = 1;
    this.start_s = 0;
    this.time_s = 0;
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.element = h(
      "div",
      { class: "waveform", tabindex: "0", role: "slider", "aria-label": t("player.position"), "aria-valuemin": 0, "aria-valuemax": Math.ceil(this.duration), onpointerdown: (event) => this.point(event), onpointermove: (event) => event.buttons && this.point(event), onkeydown: (event) => this.key(event), onwheel: (event) => this.wheel(event) },
      this.canvas,
    );
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.element);
    this.endTheme = onTheme(() => this.draw());
    this.setTime(0);
  }

  end() {
    this.resized.disconnect();
    this.endTheme();
  }

  /** Draw an outline that came later: `{bucket_s, values}`. */
  show(outline) {
    this.levels = levelsOf(outline);
    this.plan();
  }

  get duration() {
    return this.transcript.duration || 1;
  }

  get shown_s() {
    return this.duration / this.zoom;
  }

  setTime(time_s) {
    this.time_s = time_s;
    this.element.setAttribute("aria-valuenow", Math.round(time_s));
    this.element.setAttribute("aria-valuetext", clock(time_s));
    if (time_s < this.start_s || time_s > this.start_s + this.shown_s) this.look(time_s - this.shown_s * 0.1);
    this.plan();
  }

  zoomBy(factor) {
    const middle = this.time_s;
    this.zoom = Math.min(MAX_ZOOM, Math.max(1, Math.min(this.zoom * factor, this.duration)));
    this.look(middle - this.shown_s / 2);
    this.plan();
  }

  look(start_s) {
    this.start_s = Math.min(Math.max(0, start_s), this.duration - this.shown_s);
  }

  point(event) {
    const box = this.element.getBoundingClientRect();
    this.element.setPointerCapture?.(event.pointerId);
    this.onseek(this.start_s + ((event.clientX - box.left) / box.width) * this.shown_s);
  }

  key(event) {
    const to = { ArrowLeft: this.time_s - STEP_S, ArrowRight: this.time_s + STEP_S, Home: 0, End: this.duration }[event.key];
    if (to === undefined || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.onseek(to);
  }

  wheel(event) {
    if (event.ctrlKey) this.zoomBy(event.deltaY < 0 ? 1.25 : 0.8);
    else if (this.zoom > 1 && event.deltaX) this.look(this.start_s + (event.deltaX / this.element.clientWidth) * this.shown_s);
    else return;
    event.preventDefault();
    this.plan();
  }

  plan() {
    this.planned ??= requestAnimationFrame(() => {
      this.planned = undefined;
      this.draw();
    });
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!width) return;
    const scale = devicePixelRatio || 1;
    if (this.canvas.width !== width * scale || this.canvas.height !== height * scale) {
      this.canvas.width = width * scale;
      this.canvas.height = height * scale;
    }
    const ink = this.canvas.getContext("2d");
    const style = getComputedStyle(this.element);
    ink.setTransform(scale, 0, 0, scale, 0, 0);
    ink.clearRect(0, 0, width, height);
    const lanes = this.lanes();
    const room = height - lanes.length * (LANE_PX + 2);
    this.drawSound(ink, width, room, style);
    this.drawLanes(ink, width, room, lanes);
    ink.fillStyle = style.getPropertyValue("--accent");
    ink.fillRect(this.x(this.time_s, width) - 1, 0, 2, height);
  }

  x(time_s, width) {
    return ((time_s - this.start_s) / this.shown_s) * width;
  }

  drawSound(ink, width, height, style) {
    const played = style.getPropertyValue("--wave-played");
    const ahead = style.getPropertyValue("--wave");
    const level = this.levelFor(width);
    const now = this.x(this.time_s, width);
    for (let x = 0; x < width; x++) {
      const [least, greatest] = level ? reach(level, this.start_s + (x / width) * this.shown_s, this.shown_s / width) : [0, 0];
      const top = (1 - greatest / 127) * (height / 2);
      const bottom = (1 - least / 127) * (height / 2);
      ink.fillStyle = x < now ? played : ahead;
      ink.fillRect(x, Math.min(top, height / 2 - 0.5), 1, Math.max(1, bottom - top));
    }
  }

  /** The coarsest level that still tells every pixel apart. */
  levelFor(width) {
    const pixel_s = this.shown_s / width;
    return this.levels.findLast((level) => level.bucket_s <= pixel_s) ?? this.levels[0];
  }

  lanes() {
    return this.transcript.speakers.slice(0, 6).map((speaker) => speaker.label);
  }

  drawLanes(ink, width, top, lanes) {
    for (const segment of lanes.length ? this.transcript.segments : []) {
      const lane = lanes.indexOf(segment.speaker);
      if (lane < 0 || segment.end < this.start_s || segment.start > this.start_s + this.shown_s) continue;
      const left = this.x(segment.start, width);
      ink.fillStyle = speakerColor(lane);
      ink.fillRect(left, top + 2 + lane * (LANE_PX + 2), Math.max(1, this.x(segment.end, width) - left), LANE_PX);
    }
  }
}

const valuesOf = ({ bucket_seconds, peaks }) => ({
  bucket_s: bucket_seconds,
  values: Int8Array.from(atob(peaks), (char) => (char.charCodeAt(0) << 24) >> 24),
});

/** Finest first; each next one half as fine. */
function levelsOf(finest) {
  const levels = [finest];
  while (levels.at(-1).values.length > 512) levels.push(coarser(levels.at(-1)));
  return levels;
}

function coarser({ bucket_s, values }) {
  const halved = new Int8Array(Math.ceil(values.length / 4) * 2);
  for (let i = 0; i < halved.length; i += 2) {
    const next = Math.min(2 * i + 2, values.length - 2);
    halved[i] = Math.min(values[2 * i], values[next]);
    halved[i + 1] = Math.max(values[2 * i + 1], values[next + 1]);
  }
  return { bucket_s: bucket_s * 2, values: halved };
}

/** Least and greatest within a stretch of time. */
function reach({ bucket_s, values }, from_s, length_s) {
  const first = Math.floor(from_s / bucket_s) * 2;
  const last = Math.max(first + 2, Math.ceil((from_s + length_s) / bucket_s) * 2);
  let least = 0;
  let greatest = 0;
  for (let i = first; i < Math.min(last, values.length); i += 2) {
    least = Math.min(least, values[i]);
    greatest = Math.max(greatest, values[i + 1]);
  }
  return [least, greatest];
}
