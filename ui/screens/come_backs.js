// What came back: one line across the window for all of it, one by one in a dialog, and what may be done: block, revoke again,
// or dismiss. That a grant is listed again is all that is known, and it says so.

import { ask, refusalOf } from "../bridge.js";
import { openDialog } from "../elements/dialog.js";
import { tellRefusal } from "../elements/outcome.js";
import { Rows } from "../elements/rows.js";
import { paintTelling, putMark } from "../elements/telling.js";
import { announce, clone, el, put, say, slot } from "../lib/dom.js";
import { appsOf, membersOf } from "../lib/come_backs.js";
import { idTail, memberName, named, visible } from "../lib/text.js";
import { clock } from "../lib/time.js";
import { words } from "../words/en.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../contract.js").ComeBack} ComeBack */

/** What is told apart, in the order in which it is told. */
const KINDS = /** @type {const} */ (["seen_again", "look_alike"]);

/** Apps that one containment takes. */
const MOST_APPS = 200;

/** What came back, in a sentence for each kind, with names in it. @param {ComeBack[]} rows @param {number} total @returns {import("../lib/dom.js").Piece[]} */
export function comeBackSentence(rows, total) {
  // Rows that were not fetched may be of either kind.
  if (total > rows.length) return [words.come_back.mixed(total)];
  const kinds = KINDS.map((kind) => rows.filter((row) => row.kind === kind)).filter((of) => of.length > 0);
  return kinds.flatMap((of, at) => [at > 0 ? " " : null, ofKind(of)]);
}

/** Rows of one kind. @param {ComeBack[]} rows */
function ofKind(rows) {
  const said = words.come_back;
  const [first] = rows;
  const apps = appsOf(rows);
  const members = membersOf(rows);
  if (!first) return "";
  const like = first.kind === "look_alike";
  if (apps.length > 1) return like ? said.look_alikes(members, apps.length) : said.several(rows.length, apps.length);
  const app = named(first.app.name, { strong: true, limit: 60 });
  const member = named(memberName(first.member), { strong: true, limit: 60 });
  if (like) return members === 1 ? say(said.look_alike_one, { member, app, lost: named(first.lost_app.name, { limit: 60 }) }) : say(said.look_alike_many(members), { app, lost: named(first.lost_app.name, { limit: 60 }) });
  return members === 1 ? say(said.seen_one, { app, member }) : say(said.seen_many(members), { app });
}

/** Whether all of them were revoked before: a look-alike never was. @param {ComeBack[]} rows @param {number} total */
const onlyBack = (rows, total) => total === rows.length && rows.every((row) => row.kind === "seen_again");

/** What the button that revokes them says. @param {ComeBack[]} rows @param {number} total */
const againWords = (rows, total) => (onlyBack(rows, total) ? words.come_back.again(total) : words.come_back.revoke(total));

/** What a notification of the system says: the app and a count, and no member's name. @param {ComeBack[]} rows @param {number} total */
export function notificationOf(rows, total) {
  const said = words.come_back.notification;
  const apps = appsOf(rows);
  const [only] = apps;
  const back = onlyBack(rows, total);
  const name = apps.length === 1 && only && total === rows.length ? visible(only.name.trim() || only.connected_app_id, 60) : null;
  if (back) return { title: said.title, body: name === null ? said.several(total) : said.of_app(name, membersOf(rows)) };
  const alike = rows.every((row) => row.kind === "look_alike");
  return { title: said.title, body: name !== null && alike ? said.look_alike(name, membersOf(rows)) : words.come_back.mixed(total) };
}

/** The buttons of the line across the window. @param {Frame} frame */
export function comeBackActs(frame) {
  const { rows, total } = frame.comeBacks;
  const said = words.come_back;
  /** @param {string} key @param {string} label @param {string} style @param {() => unknown} run */
  const act = (key, label, style, run) => {
    const made = el("button", { class: style, type: "button", "data-test": key }, label);
    made.addEventListener("click", run);
    return made;
  };
  return [
    act("come-back-block", said.block, "b small", () => block(frame, rows)),
    act("come-back-again", againWords(rows, total), "b small", () => again(frame, rows)),
    act("come-back-look", said.look, "b small", () => openComeBacks(frame)),
    act("come-back-dismiss", said.dismiss, "lnk", () => dismiss(frame, rows)),
  ];
}

/** @param {Frame} frame @param {ComeBack[]} rows */
function block(frame, rows) {
  const apps = appsOf(rows);
  const [only] = apps;
  frame.contain({ kind: "apps", connected_app_ids: apps.slice(0, MOST_APPS).map((app) => app.connected_app_id) }, apps.length === 1 && only ? only.name : null);
}

/** @param {Frame} frame @param {ComeBack[]} rows */
function again(frame, rows) {
  frame.plan({ kind: "pairs", pairs: rows.map((row) => ({ member_id: row.member.member_id, connected_app_id: row.app.connected_app_id })) });
}

/** @param {Frame} frame @param {ComeBack[]} rows */
async function dismiss(frame, rows) {
  try {
    await frame.comeBacks.dismiss(rows);
    announce(words.come_back.dismissed);
  } catch (thrown) {
    frame.tell(refusalOf(thrown), { act: "read" });
  }
}

/** Each of them, with who, what and when. @param {Frame} frame */
export function openComeBacks(frame) {
  const said = words.come_back;
  const dialog = openDialog();
  const root = clone("t-found");
  putMark(slot(root, "mark"), "trouble");
  slot(root, "title").textContent = said.title;
  put(slot(root, "lead"), `${said.lead} ${said.note}`);
  slot(root, "parts").hidden = true;
  /** @type {Rows<ComeBack>} */
  const rows = new Rows({
    label: said.title,
    manner: "list",
    height: 50,
    template: "t-come-back-row",
    fetch: async ({ offset, count }) => {
      const page = await ask("come_back_list", { offset, count });
      return { rows: page.rows, matching: page.total, total: page.total, unreadable: [], read_at: page.watch.looked_at ?? new Date().toISOString() };
    },
    id: (row) => row.id,
    paint: (node, row) => {
      put(slot(node, "what"), named(memberName(row.member), { strong: true, limit: 80 }), row.member.yourself ? el("span", { class: "tag" }, words.you) : null);
      put(slot(node, "under"), named(row.app.name, { limit: 80 }), " ", idTail(row.app.connected_app_id));
      put(slot(node, "kind"), row.kind === "seen_again" ? said.kinds.seen_again : say(said.kinds.look_alike, { lost: named(row.lost_app.name, { limit: 60 }) }));
      put(slot(node, "when"), say(said.gone, { at: clock(row.gone_at, { seconds: false }), seen: clock(row.seen_at, { seconds: false }) }));
      const away = el("button", { class: "lnk", type: "button", "data-test": "come-back-dismiss-one", "aria-label": said.dismiss_one(visible(row.app.name, 60), visible(memberName(row.member), 60)) }, said.dismiss);
      away.addEventListener("click", async () => {
        await dismiss(frame, [row]);
        if (!dialog.open()) return;
        if (frame.comeBacks.total === 0) dialog.close();
        else await rows.load();
      });
      put(slot(node, "do"), away);
    },
    onPage: () => {},
    empty: () => el("div", { class: "blankness slim" }, said.none_back),
    refused: (refusal) => paintTelling(tellRefusal(refusal, { session: frame.session, act: "read" })).root,
    stale: () => {},
  });
  slot(root, "under").replaceWith(rows.root);
  const { rows: all, total } = frame.comeBacks;
  /** @param {string} key @param {string} label @param {string} style @param {() => unknown} run */
  const act = (key, label, style, run) => {
    const made = el("button", { class: style, type: "button", "data-test": key }, label);
    made.addEventListener("click", run);
    return made;
  };
  const close = act("close", words.close, "b solid", () => dialog.close());
  put(
    slot(root, "acts"),
    el("span", { class: "side apart" }, act("come-back-dismiss", said.dismiss_all, "b", async () => { dialog.close(); await dismiss(frame, all); })),
    el("span", { class: "side" }, act("come-back-block", said.block, "b", () => { dialog.close(null); block(frame, all); }), act("come-back-again", againWords(all, total), "b", () => { dialog.close(null); again(frame, all); }), close),
  );
  for (const one of root.querySelectorAll('[data-test="come-back-block"], [data-test="come-back-again"]')) /** @type {HTMLButtonElement} */ (one).disabled = frame.session === null;
  dialog.show(root, { stage: "come-backs" }, close);
  rows.load();
}
