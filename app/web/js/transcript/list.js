// A list of which only what is seen is made, so that hours of speech scroll as minutes do.

import { h } from "../dom.js";
import { lastAtOrBefore } from "./model.js";

const BEYOND_PX = 400;

/** `estimate(i, width)` guesses a row's height in pixels, `render(i)` makes its element; it is measured once it is there. */
export class VirtualList {
  constructor({ label, estimate, render }) {
    this.estimate = estimate;
    this.render = render;
    this.rows = new Map();
    this.count = 0;
    this.inner = h("div", { class: "rows", role: "list" });
    this.element = h("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": label, onscroll: () => this.plan() }, this.inner);
    this.resized = new ResizeObserver(() => this.onResize());
    this.resized.observe(this.element);
  }

  /** Let go of everything. */
  end() {
    this.resized.disconnect();
    cancelAnimationFrame(this.planned);
  }

  /** There are so many rows now; those there were have not changed. */
  setCount(count) {
    this.count = count;
    this.guess();
    this.draw();
  }

  /** Make these rows again where they are seen (all, if none are named). */
  refresh(indices = [...this.rows.keys()]) {
    for (const i of indices) {
      const old = this.rows.get(i);
      if (!old) continue;
      const made = this.make(i);
      old.replaceWith(made);
      this.rows.set(i, made);
    }
    this.measure(indices.filter((i) => this.rows.has(i)));
    this.place();
  }

  /** The element of a row, if it is there. */
  row(i) {
    return this.rows.get(i);
  }

  /** Bring a row into view; does nothing if it is well in view already, unless `always`. */
  reveal(i, { always = false } = {}) {
    const { scrollTop, clientHeight } = this.element;
    const inView = this.offsets[i] >= scrollTop && this.offsets[i + 1] <= scrollTop + clientHeight * 0.9;
    if (inView && !always) return;
    this.element.scrollTop = Math.max(0, this.offsets[i] - clientHeight * 0.3);
    this.draw();
    this.element.scrollTop = Math.max(0, this.offsets[i] - clientHeight * 0.3);
  }

  guess() {
    const width = this.element.clientWidth || 600;
    const known = this.heights ?? [];
    this.heights = Float64Array.from({ length: this.count }, (_, i) => known[i] || this.estimate(i, width));
    this.add();
  }

  add() {
    this.offsets = new Float64Array(this.count + 1);
    for (let i = 0; i < this.count; i++) this.offsets[i + 1] = this.offsets[i] + this.heights[i];
    this.inner.style.height = `${this.offsets[this.count]}px`;
  }

  onResize() {
    const width = this.element.clientWidth;
    if (width === this.width || !this.count) return this.plan();
    this.width = width;
    this.heights = null;
    this.guess();
    this.measure([...this.rows.keys()]);
    return this.draw();
  }

  plan() {
    this.planned ??= requestAnimationFrame(() => {
      this.planned = undefined;
      this.draw();
    });
  }

  draw() {
    if (!this.count) return;
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(0, lastAtOrBefore(this.offsets, scrollTop - BEYOND_PX));
    const last = Math.min(this.count - 1, lastAtOrBefore(this.offsets, scrollTop + clientHeight + BEYOND_PX));
    this.drop(first, last);
    const made = this.makeAll(first, last);
    if (made.length) this.measure(made);
    this.place();
  }

  drop(first, last) {
    for (const [i, row] of this.rows) {
      if ((i < first || i > last) && !row.contains(document.activeElement)) {
        row.remove();
        this.rows.delete(i);
      }
    }
  }

  makeAll(first, last) {
    const made = [];
    for (let i = first; i <= last; i++) {
      if (this.rows.has(i)) continue;
      const row = this.make(i);
      this.rows.set(i, row);
      this.insert(i, row);
      made.push(i);
    }
    return made;
  }

  /** In the order of the text, for the keyboard and for screen readers. */
  insert(i, row) {
    let after = this.inner.lastElementChild;
    while (after && Number(after.dataset.row) > i) after = after.previousElementSibling;
    if (after) after.after(row);
    else this.inner.prepend(row);
  }

  make(i) {
    const row = this.render(i);
    row.dataset.row = i;
    row.setAttribute("role", "listitem");
    row.setAttribute("aria-setsize", this.count);
    row.setAttribute("aria-posinset", i + 1);
    return row;
  }

  /** Take the true heights; what is read stays where it is. */
  measure(indices) {
    const top = lastAtOrBefore(this.offsets, this.element.scrollTop);
    const before = this.offsets[top];
    for (const i of indices) this.heights[i] = this.rows.get(i).offsetHeight;
    this.add();
    const moved = this.offsets[top] - before;
    if (Math.abs(moved) > 0.5) this.element.scrollTop += moved;
  }

  place() {
    for (const [i, row] of this.rows) row.style.transform = `translateY(${this.offsets[i]}px)`;
  }
}
