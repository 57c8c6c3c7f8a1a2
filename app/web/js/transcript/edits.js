// Corrections: sent to the service, which keeps them beside the machine's text; each can be taken back.

import { changeJob, getEdits } from "../api.js";

/** The corrections of a job. `onchange(segment)` is called with each segment that has another text now. */
export class Edits {
  constructor(jobId, transcript, onchange) {
    this.jobId = jobId;
    this.transcript = transcript;
    this.onchange = onchange;
    this.machineTexts = new Map();
    this.done = [];
  }

  /** Note which segments are corrected. */
  take({ edits }) {
    this.machineTexts = new Map(edits.map((edit) => [edit.segment.id, edit.machine_text]));
    return edits;
  }

  /** Whether there is something to take back. */
  get canUndo() {
    return this.done.length > 0;
  }

  /** Write another text. */
  async write(segment, text) {
    await this.send(segment, text);
    this.done.push({ id: segment.id, text: segment.text });
    this.onchange();
  }

  /** Give a segment back to the machine. */
  async restore(segment) {
    await this.write(segment, this.machineTexts.get(segment.id));
  }

  /** Take the last correction back; gives the segment's id. */
  async undo() {
    const last = this.done.at(-1);
    await this.send(this.transcript.segments.find((one) => one.id === last.id), last.text);
    this.done.pop();
    this.onchange();
    return last.id;
  }

  async send(segment, text) {
    const machineText = this.machineTexts.get(segment.id) ?? segment.text;
    await changeJob(this.jobId, { segments: { [segment.id]: text === machineText ? null : text } });
    const edits = this.take(await getEdits(this.jobId));
    const now = edits.find((edit) => edit.segment.id === segment.id)?.segment;
    this.transcript.replace(now ?? (await this.machines(segment)));
  }

  /** A segment as the machine heard it: kept from before it was corrected here, or else asked for. */
  async machines(segment) {
    const { segments } = await (await fetch(`/api/jobs/${this.jobId}/transcript?format=json`)).json();
    return segments.find((one) => one.id === segment.id);
  }
}
