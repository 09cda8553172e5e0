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
const PICTURE_END = /[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]$/u;

/**
 * @typedef {{ text: string, hidden: boolean }} Run
 */

/**
 * Cuts a string into what shows and what hides.
 * @param {string} text
 * @returns {Run[]}
 */
export function runs(text) {
  /** @type {Run[]} */
  const out = [];
  let plain = "";
  let from = 0;
  for (const found of text.matchAll(HIDDEN)) {
    plain += text.slice(from, found.index);
    from = found.index + found[0].length;
    if (/[\u200d\ufe0e\ufe0f]/u.test(found[0]) && PICTURE_END.test(plain)) {
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
 * How a member is called in a sentence: by name, else by address, else by id.
 * @param {import("../contract.js").MemberFace} member
 * @returns {string}
 */
export function memberName(member) {
  return member.name || member.email || member.member_id;
}
