// first view: languages to choose from.

import { currentLocale } from "./i18n.js";

export const LANGUAGES = ["ar", "ca", "cs", "de", "el", "en", "es", "fa", "fr", "hi", "it", "ja", "ko", "nl", "pl", "pt", "ro", "ru", "sv", "tr", "uk", "vi", "zh"];

/** A language by its name in the reader's language. */
export const languageName = (tag) => new Intl.DisplayNames([currentLocale()], { type: "language" }).of(tag);

/** The language of a job, or nothing if it is not one that can be named. */
export function languageOf({ language }) {
  try {
    return language && languageName(language);
  } catch {
    return language;
  }
}
