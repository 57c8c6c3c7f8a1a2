// The player's face.

import { fill, h, icon, iconButton } from "../dom.js";
import { clock, number } from "../format.js";
import { t } from "../i18n.js";

/** Buttons of a player and its picture; `renew()` shows how it stands, `setTime(time_s)` where it is. */
export class Controls {
  constructor(player, waveform, duration) {
    this.player = player;
    this.duration = duration;
    this.playButton = iconButton("play", t("player.play"), () => player.toggle(), { class: "icon-button big" });
    this.time = h("span", { class: "clock" });
    this.rate = h("span", { class: "rate", "aria-live": "polite" });
    this.skip = h("button", { type: "button", class: "plain toggle", "aria-label": t("player.skip"), title: t("player.skip"), onclick: () => player.toggleSkipping() }, icon("skip"), h("span", { class: "wide-only" }, t("player.skip")));
    const speed = h("div", { class: "group", role: "group", "aria-label": t("player.speed") }, textButton("−", t("player.slower"), () => player.faster(-1)), this.rate, textButton("+", t("player.faster"), () => player.faster(1)));
    const zoom = h("div", { class: "group wide-only", role: "group", "aria-label": t("player.zoom") }, textButton("−", t("player.zoomOut"), () => waveform.zoomBy(0.5)), h("span", { class: "hint" }, t("player.zoom")), textButton("+", t("player.zoomIn"), () => waveform.zoomBy(2)));
    this.element = h("div", { class: "controls" }, this.playButton, this.time, speed, this.skip, zoom);
    this.renew();
    this.setTime(0);
  }

  renew() {
    const label = this.player.isPlaying ? t("player.pause") : t("player.play");
    fill(this.playButton, icon(this.player.isPlaying ? "pause" : "play"));
    this.playButton.setAttribute("aria-label", label);
    this.playButton.title = label;
    this.rate.textContent = `${number(this.player.rate, 2)}×`;
    this.skip.setAttribute("aria-pressed", String(this.player.isSkipping));
  }

  setTime(time_s) {
    const told = `${clock(time_s)} / ${clock(this.duration)}`;
    if (this.time.textContent !== told) this.time.textContent = told;
  }
}

const textButton = (text, label, onclick) => h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick }, text);
