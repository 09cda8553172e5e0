// The small signs of the inventory: how wide, since when, what changed, why flagged. Each says in words what its shade says.

import { el, say } from "../lib/dom.js";
import { named, visible } from "../lib/text.js";
import { day, time } from "../lib/time.js";
import { words } from "../words/en.js";

/** @typedef {import("../contract.js").Width} Width */
/** @typedef {import("../contract.js").FirstSeen} FirstSeen */
/** @typedef {import("../contract.js").ChangeCounts} ChangeCounts */
/** @typedef {import("../contract.js").GrantChange} GrantChange */
/** @typedef {import("../contract.js").Oddity} Oddity */
/** @typedef {import("../lib/dom.js").Piece} Piece */

/** @param {number} level */
export const levelWords = (level) => words.width.levels[/** @type {0 | 1 | 2 | 3} */ (Math.max(0, Math.min(3, level)))];

/**
 * How wide, in one sentence: `wide, by rule “write”: contacts.write`.
 * @param {Width} width
 */
export function widthSentence(width) {
  if (width.level === 0) return words.width.levels[0];
  return words.width.sentence.replace("{level}", () => levelWords(width.level)).replace("{rule}", () => visible(width.rule, 40)).replace("{scope}", () => visible(width.scope, 120));
}

/**
 * The tag of a width: the label of the rule that gave it.
 * @param {Width} width
 * @returns {HTMLElement | null}
 */
export function widthTag(width) {
  if (width.level === 0) return null;
  const said = widthSentence(width);
  return el("span", { class: `w w${width.level}`, title: said }, named(width.rule, { limit: 24, title: false }), el("span", { class: "unseen" }, ` (${levelWords(width.level)})`));
}

/**
 * When first seen, short: the day; the title has the interval.
 * @param {FirstSeen} seen
 */
export function seenShort(seen) {
  const key = `${seen.after} ${seen.by}`;
  let said = short.get(key);
  if (said === undefined) {
    if (short.size > 2000) short.clear();
    said = { day: day(seen.by), title: seenSentence(seen).textContent ?? "" };
    short.set(key, said);
  }
  return el("time", { datetime: seen.by, title: said.title, class: "num" }, said.day);
}

/** There are as many of them as readings, and one in each row. @type {Map<string, { day: string, title: string }>} */
const short = new Map();

/**
 * When first seen, in full: an interval is all that two readings can tell.
 * @param {FirstSeen} seen
 * @returns {DocumentFragment}
 */
export function seenSentence(seen) {
  return seen.after === null ? say(words.seen.before, { by: time(seen.by, { seconds: false }) }) : say(words.seen.between, { after: time(seen.after, { seconds: false }), by: time(seen.by, { seconds: false }) });
}

/**
 * What changed in a row that stands for several grants.
 * @param {ChangeCounts} changes
 * @param {number} grants
 * @returns {HTMLElement[]}
 */
export function changeMarks(changes, grants) {
  const out = [];
  if (changes.new > 0) out.push(mark("new", changes.new >= grants ? words.changes.new : words.changes.plus(changes.new), words.changes.new_title(changes.new)));
  if (changes.widened > 0) out.push(mark("widened", grants === 1 ? words.changes.widened : words.changes.widened_n(changes.widened), words.changes.widened_title(changes.widened)));
  if (changes.narrowed > 0) out.push(mark("narrowed", grants === 1 ? words.changes.narrowed : words.changes.narrowed_n(changes.narrowed), words.changes.narrowed_title(changes.narrowed)));
  if (changes.altered > 0) out.push(mark("altered", grants === 1 ? words.changes.altered : words.changes.altered_n(changes.altered), words.changes.altered_title(changes.altered)));
  if (changes.gone > 0) out.push(mark("gone", words.changes.gone_n(changes.gone), words.changes.gone_title(changes.gone)));
  return out;
}

/** @param {string} kind @param {string} text @param {string} title */
const mark = (kind, text, title) => el("span", { class: "chg", "data-change": kind, title }, text);

/**
 * What changed in one grant.
 * @param {GrantChange | null} change
 * @param {string[] | null} before
 */
export function changeMark(change, before) {
  if (!change) return null;
  const was = before && before.length > 0 ? words.changes.was.replace("{scopes}", () => visible(before.join(" "), 200)) : words.changes.titles[change];
  return mark(change, words.changes[change], was);
}

/**
 * Why it is flagged, in words: `Cyrillic “а” (U+0430) in the name`.
 * @param {Oddity} odd
 * @returns {string}
 */
export function oddWords(odd) {
  const said = words.odd;
  const [code = "", ...name] = odd.detail.split(" ");
  const point = /^U\+([0-9A-Fa-f]{4,6})$/.exec(code);
  switch (odd.kind) {
    case "confusable": {
      if (!point) return said.confusable_plain;
      const script = (name[0] ?? "").toLowerCase();
      const letter = visible(String.fromCodePoint(Math.min(0x10ffff, Number.parseInt(point[1] ?? "0", 16))));
      return said.confusable(script === "" ? "" : script[0]?.toUpperCase() + script.slice(1), letter, code);
    }
    case "invisible":
      return point ? said.invisible(code) : said.invisible_plain;
    case "bidi":
      return point ? said.bidi(code) : said.bidi_plain;
    case "other_type":
      return said.other_type(/** @type {Record<string, string>} */ (words.apps.types)[odd.detail] ?? visible(odd.detail, 40));
    case "wider_scopes":
      return said.wider_scopes(visible(odd.detail, 60));
    default:
      return said.other(visible(odd.kind, 40));
  }
}

/** @param {Oddity[]} odd */
export function oddTags(odd) {
  return odd.map((one) => {
    const said = oddWords(one);
    return el("span", { class: "tag warn odd", title: said, "data-test": "odd", "data-odd": one.kind }, said.replace(words.odd.in_the_name, ""));
  });
}

/**
 * Scopes in one line: how wide, the first of them, and how many more.
 * @param {string[]} scopes the widest first
 * @param {number} count how many there are
 * @param {Width} width
 * @param {number} shown
 * @returns {Piece[]}
 */
export function scopesLine(scopes, count, width, shown) {
  if (count === 0) return [el("span", { class: "soft" }, words.grants.no_scopes)];
  const more = count - Math.min(shown, scopes.length);
  return [widthTag(width), el("span", { class: "scopes" }, named(scopes.slice(0, shown).join(" "), { limit: 160 })), more > 0 ? el("em", { class: "more", title: visible(scopes.slice(shown).join(" "), 600) }, `+${words.number(more)}`) : null];
}
