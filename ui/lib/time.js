// Clock times and what is left until them. All local to the person, with UTC in the title; one ticking clock for the page.

import { el } from "./dom.js";
import { words } from "../words/en.js";

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const MINUTE = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hour12: false });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const DAY_OF_YEAR = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/**
 * A time of day, with the day when it is not today: `10:42:09`, `22 Nov, 10:42:09`.
 * @param {string} at RFC 3339
 * @param {{ seconds?: boolean }} [how]
 */
export function clock(at, how = {}) {
  const when = new Date(at);
  if (Number.isNaN(when.getTime())) return at;
  const now = new Date();
  const time = (how.seconds === false ? MINUTE : CLOCK).format(when);
  if (when.toDateString() === now.toDateString()) return time;
  const day = (when.getFullYear() === now.getFullYear() ? DAY : DAY_OF_YEAR).format(when);
  return `${day}, ${time}`;
}

/**
 * The same as an element that carries the exact time.
 * @param {string} at RFC 3339
 * @param {{ seconds?: boolean }} [how]
 */
export function time(at, how = {}) {
  const when = new Date(at);
  const utc = Number.isNaN(when.getTime()) ? at : `${when.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  return el("time", { datetime: at, title: utc, class: "num" }, clock(at, how));
}

/**
 * A day: `3 Oct`, with the year when it is another one.
 * @param {string} at RFC 3339
 */
export function day(at) {
  const when = new Date(at);
  if (Number.isNaN(when.getTime())) return at;
  return (when.getFullYear() === new Date().getFullYear() ? DAY : DAY_OF_YEAR).format(when);
}

/**
 * Milliseconds until a time; negative once it has passed.
 * @param {string} at RFC 3339
 */
export function until(at) {
  return new Date(at).getTime() - Date.now();
}

/**
 * A span as a countdown: `59:48`, `2:03:11`.
 * @param {number} ms
 */
export function countdown(ms) {
  const total = Math.max(0, Math.ceil(ms / 1000));
  const s = String(total % 60).padStart(2, "0");
  const m = Math.floor(total / 60) % 60;
  const h = Math.floor(total / 3600);
  return h > 0 ? `${h}:${String(m).padStart(2, "0")}:${s}` : `${m}:${s}`;
}

/**
 * A span in words, as coarse as it may be: `47 min`, `3 h 5 min`, `12 s`.
 * @param {number} ms
 */
export function span(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return words.seconds(seconds);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return words.minutes(minutes);
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return words.hours(hours, minutes % 60);
  return words.days(Math.floor(hours / 24));
}

/** @type {Map<Node, { run: () => void, seen: boolean, waited: number }>} */
const ticking = new Map();
/** @type {number | undefined} */
let timer;

/**
 * Runs now, and then once a second for as long as the node is part of the page.
 * @template {Node} N
 * @param {N} node
 * @param {(node: N) => void} run
 * @returns {N}
 */
export function everySecond(node, run) {
  run(node);
  ticking.set(node, { run: () => run(node), seen: node.isConnected, waited: 0 });
  timer ??= window.setInterval(tick, 1000);
  return node;
}

function tick() {
  for (const [node, entry] of ticking) {
    if (node.isConnected) {
      entry.seen = true;
      entry.run();
    } else if (entry.seen || (entry.waited += 1) > 30) {
      // It was shown and is not any more, or never will be: whoever made it is done with it.
      ticking.delete(node);
    }
  }
  if (ticking.size === 0) {
    clearInterval(timer);
    timer = undefined;
  }
}
