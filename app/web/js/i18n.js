// first view: what the page says, in the reader's language.

import { EN } from "./lang/en.js";
import { FR } from "./lang/fr.js";

const TEXTS = { en: EN, fr: FR };
const KEY = "parloir.locale";

let locale = initial();

function initial() {
  const kept = localStorage.getItem(KEY);
  if (kept in TEXTS) return kept;
  const wanted = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.find((tag) => tag in TEXTS) ?? "en";
}

/** The language: `en` or `fr`. */
export const currentLocale = () => locale;

/** Speak the other language from now on, and next time. */
export function setLocale(wanted) {
  locale = wanted;
  localStorage.setItem(KEY, wanted);
}

/** A text, its places `{name}` filled in; `n` chooses between `one` and `other`. */
export function t(name, params = {}) {
  const found = TEXTS[locale][name] ?? EN[name] ?? name;
  const text = typeof found === "string" ? found : found[new Intl.PluralRules(locale).select(params.n)] ?? found.other;
  return unbroken(text).replace(/\{(\w+)\}/g, (_, place) => params[place] ?? "");
}

/** In French no line begins with one of these signs. */
export const unbroken = (text) => (locale === "fr" ? text.replace(/ (?=[;:?!»%])/g, "\u00a0").replace(/« /g, "«\u00a0") : text);

/** Whether there is such a text. */
export const isSaid = (name) => name in EN;
