// first view: figures as people read them.

import { currentLocale, t } from "./i18n.js";

/** 3:07, 1:02:03; with tenths if asked. */
export function clock(seconds, { tenths = false } = {}) {
  const whole = Math.max(0, tenths ? Math.floor(seconds * 10) / 10 : Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = (whole % 60).toFixed(tenths ? 1 : 0).padStart(tenths ? 4 : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** A length of time in words: 8 s, 3 min, 2 h. */
export function span(seconds) {
  if (seconds < 1) return t("span.ms", { n: Math.round(seconds * 1000) });
  if (seconds < 90) return t("span.s", { n: Math.round(seconds) });
  if (seconds < 5400) return t("span.min", { n: Math.round(seconds / 60) });
  return t("span.h", { n: number(seconds / 3600, 1) });
}

/** A number in the reader's way. */
export const number = (value, digits = 0) =>
  new Intl.NumberFormat(currentLocale(), { maximumFractionDigits: digits }).format(value);

/** 45 %. */
export const percent = (fraction) => new Intl.NumberFormat(currentLocale(), { style: "percent" }).format(fraction);

/** The language as it is written where the reader is, if the browser says where. */
const regional = () => navigator.languages.find((tag) => tag.startsWith(currentLocale())) ?? currentLocale();

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/** 3.2 MB. */
export function size(n_bytes) {
  const step = Math.min(UNITS.length - 1, n_bytes ? Math.floor(Math.log10(n_bytes) / 3) : 0);
  const style = { style: "unit", unit: UNITS[step], unitDisplay: "short", maximumFractionDigits: step > 1 ? 1 : 0 };
  return new Intl.NumberFormat(currentLocale(), style).format(n_bytes / 1000 ** step);
}

/** A day and an hour; the year only if it is another one. */
export function moment(iso) {
  const date = new Date(iso);
  const year = date.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  const shape = { day: "numeric", month: "short", year, hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(regional(), shape).format(date);
}
