/** Numbers, times and sizes as people read them. */

const count = new Intl.NumberFormat("en");

/** "3 files", "1 file". */
export function counted(number, one, many = `${one}s`) {
  return `${count.format(number)} ${number === 1 ? one : many}`;
}

export function number(value) {
  return count.format(value);
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Bytes, in powers of 1000 as disks are sold: 3.1 GB. */
export function bytes(size) {
  let unit = 0;
  let value = size;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${Number(value.toFixed(digits))} ${UNITS[unit]}`;
}

export const speed = (bytesPerSecond) => `${bytes(bytesPerSecond)}/s`;

/** Seconds as "4 s", "3 min 20 s", "2 h 05 min". */
export function lasting(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return whole < 600 && whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${Math.round(whole / 60)} min`;
  const minutes = Math.round(whole / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.floor(minutes / 1440)} days`;
}

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const dayAndYear = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

/** A time with everything: for titles and details. @param {string | number | null | undefined} iso */
export function exactly(iso) {
  return iso ? full.format(new Date(iso)) : "";
}

/** A time as one says it today: "just now", "12 min ago", "14:03", "3 Nov". */
export function when(iso, now = new Date()) {
  if (!iso) return "";
  const then = new Date(iso);
  const seconds = (now.getTime() - then.getTime()) / 1000;
  if (seconds >= 0 && seconds < 45) return "just now";
  if (seconds >= 0 && seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (then.toDateString() === now.toDateString()) return clock.format(then);
  const written = then.getFullYear() === now.getFullYear() ? day.format(then) : dayAndYear.format(then);
  return Math.abs(seconds) < 14 * 86400 ? `${written}, ${clock.format(then)}` : written;
}

/** "1:30" to seconds; null where it is no time. Hours may be left out of nothing: "45" is not a time, "0:45" is. */
export function secondsOf(text) {
  const match = /^\s*(\d{1,4}):([0-5]\d)\s*$/.exec(text);
  return match ? Number(match[1]) * 3600 + Number(match[2]) * 60 : null;
}

/** Seconds to h:mm. */
export function hours(seconds) {
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}
