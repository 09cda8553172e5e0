// Members: find one, see which apps act for them, revoke. A member whose roles do not let them list others is told so, and
// led to their own apps.

import { ask } from "../bridge.js";
import { browse } from "../elements/browse.js";
import { grants, titled } from "../elements/grants.js";
import { tellRefusal } from "../elements/outcome.js";
import { copyButton } from "../elements/copy.js";
import { paintTelling } from "../elements/telling.js";
import { el, put, slot } from "../lib/dom.js";
import { memberName, named, whole } from "../lib/text.js";
import { words } from "../words/en.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../contract.js").MemberFace} MemberFace */
/** @typedef {import("../contract.js").MemberRow} MemberRow */

/**
 * @param {Frame} frame
 * @returns {import("./frame.js").View}
 */
export function members(frame) {
  const screen = browse(frame, {
    key: "members",
    title: words.members.title,
    label: words.members.list,
    filter: words.members.filter,
    columns: "t-member-columns",
    template: "t-member-row",
    summary: words.members.summary,
    pick: words.members.pick,
    none: { title: words.members.none, next: words.members.none_next },
    fetch: (window) => ask("member_list", { window }),
    id: (row) => row.face.member_id,
    paint,
    onOpen: (row) => open(row.face),
    onPage: (page) => frame.counted("members", page.total),
    refused,
  });

  /** @param {HTMLElement} node @param {MemberRow} row */
  function paint(node, row) {
    const { face } = row;
    put(slot(node, "name"), named(memberName(face), { strong: true }));
    slot(node, "you").hidden = !face.yourself;
    put(slot(node, "email"), face.name && face.email ? named(face.email) : face.email === null ? named(face.member_id) : "");
    put(slot(node, "roles"), named(row.roles.join(", "), { empty: words.none }));
    const statuses = /** @type {Record<string, string>} */ (words.members.statuses);
    slot(node, "status").textContent = statuses[row.status] ?? row.status;
  }

  /** @param {import("../bridge.js").AnyRefusal} refusal @param {() => void} retry */
  function refused(refusal, retry) {
    const telling = tellRefusal(refusal, {
      session: frame.session,
      act: "read",
      retry,
      signIn: () => frame.signInAgain(null),
      readPolicy: () => frame.readPolicy().then(retry, retry),
    });
    if (refusal.kind === "not_allowed") {
      telling.title = words.members.denied_title;
      telling.lead = words.members.denied_lead;
      telling.acts.push({ key: "own-apps", label: words.members.own, style: "solid", run: () => own() });
    }
    const { root } = paintTelling(telling);
    root.setAttribute("role", "alert");
    root.dataset.test = "refused";
    root.dataset.refusal = refusal.kind;
    if (refusal.kind === "not_allowed") {
      screen.bar(true);
      // Beside one's own apps a button that leads to them leads nowhere.
      root.querySelector('[data-test="own-apps"]')?.classList.add("when-closed");
    }
    return root;
  }

  function own() {
    const { session } = frame;
    open({ member_id: session.member_id, name: session.member_name, email: session.member_email, yourself: true });
  }

  /** What the detail shows, if it shows anything. @type {{ root: HTMLElement, rows: { load: () => unknown } } | null} */
  let shown = null;

  /** @param {MemberFace} face */
  function open(face) {
    const sheet = grants(frame, {
      of: "member",
      id: face.member_id,
      title: memberName(face),
      heading: face.yourself ? words.members.own : words.members.apps_heading,
      filter: null,
      counted: words.number,
      none: face.yourself ? words.members.apps_none_self : words.members.apps_none,
      back: () => screen.show(null),
      fetch: async ({ offset, count, reread }) => {
        // One answer holds all of them: it is cut into windows here so that the same list can show it.
        if (reread || offset === 0 || !whole) {
          const reply = await ask("member_connected_apps", { member_id: face.member_id });
          whole = {
            reply,
            all: reply.grants.map((grant) => ({ member: reply.member, app: grant.app, scopes: grant.scopes })),
          };
        }
        const { all, reply } = whole;
        return { rows: all.slice(offset, offset + count), matching: all.length, total: all.length, unreadable: reply.unreadable, read_at: reply.read_at, member: reply.member };
      },
      onPage: (root, page) => {
        titled(root, memberName(page.member));
        facts(root, page.member);
      },
    });
    /** @type {{ reply: import("../contract.js").MemberApps, all: import("../elements/grants.js").Grant[] } | null} */
    let whole = null;
    facts(sheet.root, face);
    shown = sheet;
    screen.show(sheet.root);
    screen.rows.pick(face.member_id);
    sheet.rows.load().then(() => { if (sheet.root.isConnected && !document.querySelector("dialog[open]")) sheet.focus(); });
    slot(sheet.root, "title").focus();
  }

  /** @param {HTMLElement} root @param {MemberFace} face */
  function facts(root, face) {
    put(
      slot(root, "facts"),
      ...(face.email ? [el("dt", {}, words.members.address), el("dd", { "data-fact": "email" }, whole(face.email))] : []),
      el("dt", {}, words.members.member_id),
      el("dd", { "data-fact": "member_id" }, whole(face.member_id, { mono: true }), " ", copyButton(face.member_id, words.members.member_id)),
    );
  }

  return {
    root: screen.root,
    enter: screen.enter,
    load: async () => {
      const denied = frame.session.may.search_members.allowed === false;
      if (denied) {
        screen.bar(true);
        // In a wide window both fit beside each other; in a narrow one the reason comes first, with a button to one's own.
        if (matchMedia("(min-width: 1001px)").matches) own();
      }
      await screen.rows.load();
      // The keyboard waited on the title until there was something to press.
      if (denied && document.activeElement === slot(screen.root, "title")) screen.enter();
    },
    reload: () => { screen.rows.load(); },
    redraw: () => { if (shown?.root.isConnected) shown.rows.load(); },
  };
}
