// Strings that strangers wrote, made safe to read: as text, isolated in their direction, with every character that hides
// shown as a small token. It never decides what a name means.

import { el } from "./dom.js";
import { words } from "../words/en.js";

/**
 * Characters that show nothing, or that change how others are shown: controls, bidirectional and zero-width ones, fillers,
 * soft hyphens, tags, lone surrogates; and the part of a pile of combining marks that would climb out of its line.
 */
const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{e0000}-\u{e0fff}]|\p{Cs}|(?<=\p{M}{3})\p{M}+/gu;

/** What may come before a joiner or a variation selector that only makes a picture of it. */
const PICTURE = /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f)$/u;

/**
 * Letters of another script inside a word of Latin ones, as in a name made to look like another. At most three at a time:
 * a word that is mostly of another script is simply of another script.
 */
const WORD = /[\p{L}\p{M}]+/gu;
const LATIN = /\p{Script=Latin}/gu;
const LOOKALIKE = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Lisu}]/gu;

/** @param {string} text */
function lastCharacter(text) {
  const low = text.charCodeAt(text.length - 1);
  return low >= 0xdc00 && low <= 0xdfff ? text.slice(-2) : text.slice(-1);
}

/** Nothing in it can hide, or look like anything else. */
const PLAIN = /^[\x20-\x7e]+$/;

/**
 * @typedef {{ text: string, hidden: boolean }} Run
 */

/**
 * Cuts a string into what shows and what hides.
 * @param {string} text
 * @returns {Run[]}
 */
export function runs(text) {
  // Most strings are plain, and lists are scrolled fast.
  if (PLAIN.test(text)) return [{ text, hidden: false }];
  return hiddenRuns(text).flatMap((run) => (run.hidden ? [run] : mixedRuns(run.text)));
}

/**
 * Names the letters that only look as if they belonged to their word: `Clа⟨U+0430⟩ude`.
 * @param {string} text
 * @returns {Run[]}
 */
function mixedRuns(text) {
  /** @type {Run[]} */
  const out = [];
  let from = 0;
  for (const word of text.matchAll(WORD)) {
    const strange = [...word[0].matchAll(LOOKALIKE)];
    const latin = word[0].match(LATIN)?.length ?? 0;
    if (strange.length === 0 || latin === 0 || strange.length > Math.max(3, latin)) continue;
    for (const letter of strange) {
      const end = word.index + letter.index + letter[0].length;
      out.push({ text: text.slice(from, end), hidden: false }, { text: token(letter[0]), hidden: true });
      from = end;
    }
  }
  if (from < text.length) out.push({ text: text.slice(from), hidden: false });
  return out;
}

/**
 * @param {string} text
 * @returns {Run[]}
 */
function hiddenRuns(text) {
  /** @type {Run[]} */
  const out = [];
  let plain = "";
  let from = 0;
  for (const found of text.matchAll(HIDDEN)) {
    plain += text.slice(from, found.index);
    from = found.index + found[0].length;
    if (/[\u200d\ufe0e\ufe0f]/u.test(found[0]) && PICTURE.test(lastCharacter(plain))) {
      plain += found[0];
      continue;
    }
    if (plain) out.push({ text: plain, hidden: false });
    plain = "";
    out.push({ text: token(found[0]), hidden: true });
  }
  plain += text.slice(from);
  if (plain) out.push({ text: plain, hidden: false });
  return out;
}

/** @param {string} character */
function token(character) {
  const points = [...character];
  const code = (points[0] ?? "").codePointAt(0) ?? 0;
  const named = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  return points.length > 1 ? `⟨${named} ×${points.length}⟩` : `⟨${named}⟩`;
}

/**
 * Cuts a string after so many characters, never inside one.
 * @param {string} text
 * @param {number} limit
 */
function clamp(text, limit) {
  if (text.length <= limit) return { text, cut: false };
  let end = limit;
  const code = text.charCodeAt(end - 1);
  if (code >= 0xd800 && code <= 0xdbff) end -= 1;
  return { text: text.slice(0, end), cut: true };
}

/**
 * The same as plain text, for a title or a label, cut to what a tooltip can hold.
 * @param {string} text
 * @param {number} [limit]
 */
export function visible(text, limit = 300) {
  const short = clamp(text, limit);
  return runs(short.text).map((run) => run.text).join("") + (short.cut ? "…" : "");
}

/**
 * A string of a stranger as an element.
 * @param {string} text
 * @param {{ limit?: number, empty?: string, strong?: boolean, length?: boolean, title?: boolean }} [how] `limit` in UTF-16 units;
 *   `empty` stands for an empty string; `length` tells how long a cut one is; `title: false` leaves the tooltip out
 * @returns {HTMLElement}
 */
export function named(text, how = {}) {
  const limit = how.limit ?? 240;
  if (text.trim() === "") return el("bdi", { class: "name nameless" }, how.empty ?? words.nameless);
  const short = clamp(text, limit);
  const pieces = runs(short.text).map((run) => (run.hidden ? el("span", { class: "hid" }, run.text) : run.text));
  if (short.cut) pieces.push("…");
  const made = el(how.strong ? "b" : "span", {}, el("bdi", { class: "name" }, ...pieces));
  if (how.title !== false && text.length > 24) made.title = visible(text);
  if (short.cut && how.length) made.append(el("span", { class: "soft" }, ` ${words.characters(text.length)}`));
  return made;
}

/**
 * A text that may be long, whole: on its line while it is short, in a box that scrolls when it is not.
 * @param {string} text
 * @param {{ mono?: boolean, empty?: string }} [how]
 * @returns {HTMLElement}
 */
export function whole(text, how = {}) {
  const inside = named(text, { limit: 10_000, title: false, ...(how.empty === undefined ? {} : { empty: how.empty }) });
  const made = el("span", { class: how.mono ? "mono" : null }, inside);
  if (text.length > 160) {
    made.classList.add("over");
    made.tabIndex = 0;
    made.setAttribute("role", "group");
  }
  return made;
}

/**
 * How a member is called in a sentence: by name, else by address, else by id.
 * @param {import("../contract.js").MemberFace} member
 * @returns {string}
 */
export function memberName(member) {
  return member.name || member.email || member.member_id;
}

/**
 * The end of an id, by which two things of one name are told apart; the whole id is in the title.
 * @param {string} id
 */
export function idTail(id) {
  const end = [...id].slice(-8).join("");
  return el("bdi", { class: "mono", title: visible(id) }, visible(end === id ? id : `…${end}`));
}
