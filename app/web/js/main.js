// first view: the frame of the page, and which view is in it.

import { fill, h, icon } from "./dom.js";
import { currentLocale, setLocale, t } from "./i18n.js";
import { onReach } from "./reach.js";
import { applyTheme, isDark, toggleTheme } from "./theme.js";
import { makeShelf } from "./toast.js";
import { homeView } from "./history/view.js";
import { recordingPill } from "./live/pill.js";

const ROUTES = [
  [/^#?\/?$/, async () => homeView],
  [/^#\/live$/, async () => (await import("./live/view.js")).liveView],
  [/^#\/operations$/, async () => (await import("./operations/view.js")).operationsView],
  [/^#\/jobs\/([0-9a-f-]+)$/, async () => (await import("./transcript/view.js")).transcriptView],
];
const LINKS = [["#/", "nav.home"], ["#/live", "nav.live"], ["#/operations", "nav.operations"]];

const main = h("main", { id: "main", tabindex: "-1" });
const header = h("header", { class: "top" });
const banner = h("div", { class: "banner", role: "alert", hidden: true });
let leave = () => {};

function frame() {
  document.documentElement.lang = currentLocale();
  const skip = h("a", { class: "skip", href: "#main", onclick: skipToMain }, t("nav.skip"));
  const links = LINKS.map(([href, name]) => h("a", { href, "aria-current": isHere(href) }, t(name)));
  fill(header, skip, h("a", { class: "brand", href: "#/" }, "Parloir"), h("nav", { "aria-label": t("nav.label") }, links), recordingPill(), h("div", { class: "choices" }, localeButton(), themeButton()));
  fill(banner, t("error.down"));
}

/** A transcript is one of the recordings. */
function isHere(href) {
  if ((location.hash || "#/") === href) return "page";
  return href === "#/" && location.hash.startsWith("#/jobs/") && "true";
}

function skipToMain(event) {
  event.preventDefault();
  main.focus();
}

function localeButton() {
  const other = currentLocale() === "fr" ? "en" : "fr";
  const choose = () => {
    setLocale(other);
    show();
  };
  return h("button", { type: "button", class: "plain", lang: other, onclick: choose, "aria-label": other === "fr" ? "Français" : "English" }, other.toUpperCase());
}

function themeButton() {
  const label = isDark() ? t("theme.light") : t("theme.dark");
  const choose = () => {
    toggleTheme();
    frame();
  };
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick: choose }, icon("theme"));
}

async function show() {
  const [found, load] = match(location.hash);
  const view = await load();
  leave();
  frame();
  fill(main);
  main.className = "";
  document.title = "Parloir";
  leave = view(main, ...found.slice(1)) ?? (() => {});
}

function match(hash) {
  for (const [pattern, load] of ROUTES) {
    const found = pattern.exec(hash);
    if (found) return [found, load];
  }
  location.replace("#/");
  return [[""], ROUTES[0][1]];
}

applyTheme();
document.body.prepend(header, banner, main, makeShelf());
onReach((isUp) => (banner.hidden = isUp));
addEventListener("hashchange", async () => {
  await show();
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
});
show();
