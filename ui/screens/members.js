// Members: find one, see which apps act for them, revoke. A member whose roles do not let them list others is told so, and
// led to their own apps; the others are then known by id only.

import { ask } from "../bridge.js";
import { copyButton } from "../elements/copy.js";
import { changeMarks, widthTag } from "../elements/facts_of.js";
import { actsPut, grants, titled } from "../elements/grants.js";
import { listing } from "../elements/listing.js";
import { tellDenial } from "../elements/outcome.js";
import { paintTelling } from "../elements/telling.js";
import { el, put, slot } from "../lib/dom.js";
import { memberName, named, visible, whole } from "../lib/text.js";
import { words } from "../words/en.js";
import { erasePerson } from "./evidence.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../contract.js").MemberFace} MemberFace */
/** @typedef {import("../contract.js").MemberInventoryRow} MemberRow */
/** @typedef {import("../contract.js").GrantRow} GrantRow */

/**
 * @param {Frame} frame
 * @returns {import("./frame.js").View}
 */
export function members(frame) {
  const { inventory } = frame;
  // Whoever may not list members is told that first, and sees ids only when asked for.
  let byId = false;

  const denied = () => frame.session !== null && frame.session.may.search_members.allowed === false && (inventory.picture === null || inventory.picture.names === "denied") && !byId;

  const screen = listing(frame, {
    key: "members",
    fold: false,
    title: words.members.title,
    label: words.members.list,
    placeholder: words.members.filter,
    matching: words.members.matching,
    head: "t-member-head",
    row: "t-member-row",
    height: 50,
    sort: "name",
    descending: false,
    fetch: (query) => ask("inventory_members", { query }),
    id: (row) => row.face.member_id,
    paint,
    open: (row) => open(row.face),
    none: () => ({ title: words.members.none, next: words.members.none_next }),
    onPage: () => nameStrip(),
    instead: (state) => {
      const on = denied();
      screen?.quiet(on);
      if (!on) return null;
      const had = state.querySelector("[data-test=refused]");
      const key = JSON.stringify([frame.session?.may.search_members, inventory.picture?.members]);
      if (had instanceof HTMLElement && had.dataset.same === key) return had;
      return refused(key);
    },
  });

  const names = el("div", { class: "strip", "data-test": "names-denied", hidden: true });
  screen.strips.append(names);

  /** Names that are missing are said, with what they need. */
  function nameStrip() {
    const picture = inventory.picture;
    const missing = picture !== null && picture.names === "denied";
    names.hidden = !missing;
    if (!missing) return;
    const needed = frame.session?.may.search_members;
    const code = el("code", {}, needed ? `${visible(needed.action, 60)} ${words.on} ${visible(needed.resource, 60)}` : `search ${words.on} stytch.member`);
    put(names, el("span", {}, el("b", {}, words.members.by_id), " ", words.members.by_id_needs, " ", code, needed && needed.roles_that_hold_it.length > 0 ? ` (${words.members.held_by} ${needed.roles_that_hold_it.map((role) => visible(role, 60)).join(", ")})` : "", "."));
  }

  /** @param {HTMLElement} node @param {MemberRow} row */
  function paint(node, row) {
    const { face } = row;
    const nameless = !face.name && !face.email;
    put(slot(node, "name"), nameless ? el("span", { class: "mono" }, named(face.member_id)) : named(memberName(face), { strong: true }));
    put(slot(node, "beside"), ...changeMarks(row.changes, row.grants));
    slot(node, "you").hidden = !face.yourself;
    put(slot(node, "email"), face.name && face.email ? named(face.email) : nameless ? el("span", {}, words.members.name_unknown) : "");
    put(slot(node, "roles"), named(row.roles.join(", "), { empty: nameless ? words.unknown_value : words.none }));
    const statuses = /** @type {Record<string, string>} */ (words.members.statuses);
    put(slot(node, "status"), row.status === null ? el("span", { class: "soft" }, words.members.statuses.unknown) : named(statuses[row.status] ?? row.status));
    put(slot(node, "grants"), row.grants_matching < row.grants ? words.apps.some_of(row.grants_matching, row.grants) : words.number(row.grants));
    put(slot(node, "width"), widthTag(row.width));
    put(slot(node, "marks"), ...changeMarks(row.changes, row.grants));
  }

  /** @param {string} key */
  function refused(key) {
    const { session } = frame;
    const needed = session?.may.search_members;
    const telling = tellDenial(
      { action: needed?.action ?? null, resource: needed?.resource ?? null, your_roles: session?.roles ?? [], roles_that_hold_it: needed?.roles_that_hold_it ?? [], policy_read_at: session?.policy_read_at ?? null, request_id: null, asked: false },
      { session, act: "read", readPolicy: () => frame.readPolicy().then(() => screen.load(), () => screen.load()) },
      { refusal: "not_allowed" },
    );
    telling.title = words.members.denied_title;
    telling.lead = words.members.denied_lead;
    const known = inventory.picture?.members ?? 0;
    if (known > 1) telling.acts.push({ key: "show-ids", label: words.members.show_ids(known), run: () => { byId = true; screen.load(); screen.filter.focus(); } });
    telling.acts.push({ key: "own-apps", label: words.members.own, style: "solid", run: () => own() });
    const { root } = paintTelling(telling);
    root.setAttribute("role", "alert");
    root.dataset.test = "refused";
    root.dataset.refusal = "not_allowed";
    root.dataset.same = key;
    // Beside one's own apps a button that leads to them leads nowhere.
    root.querySelector('[data-test="own-apps"]')?.classList.add("when-closed");
    return root;
  }

  function own() {
    const { session } = frame;
    if (session) open({ member_id: session.member_id, name: session.member_name, email: session.member_email, yourself: true });
  }

  /** What the detail shows, if it shows anything. @type {{ root: HTMLElement, rows: { load: (how?: any) => unknown } } | null} */
  let shown = null;

  function close() {
    const had = screen.show(null);
    shown = null;
    screen.table.rows.pick(null);
    if (had && !screen.table.rows.focus()) instead();
    return had;
  }

  /** Where the keyboard goes when there is no row to go to. */
  function instead() {
    const { state } = screen.table.rows;
    const act = state.querySelector("button.solid:not(:disabled)") ?? state.querySelector("button:not(:disabled)");
    if (!denied()) screen.filter.focus();
    else if (act instanceof HTMLElement) act.focus();
    else slot(screen.root, "title").focus();
  }

  /** @param {MemberFace} face @param {string} [only] the app whose row the keyboard goes to */
  function open(face, only) {
    /** What the inventory knows beside the grants that are read now. @type {Map<string, GrantRow>} */
    let known = new Map();
    /** @type {{ reply: { member: MemberFace, unreadable: import("../contract.js").UnreadableRow[], read_at: string }, all: import("../elements/grants.js").Grant[] } | null} */
    let whole = null;
    const sheet = grants(frame, {
      of: "member",
      id: face.member_id,
      title: memberName(face),
      heading: face.yourself ? words.members.own : words.members.apps_heading,
      filter: null,
      counted: words.number,
      none: face.yourself ? words.members.apps_none_self : words.members.apps_none,
      back: () => close(),
      fetch: async ({ offset, count, reread }) => {
        // One answer holds all of them: it is cut into windows here so that the same list can show it.
        if (reread || offset === 0 || !whole) {
          const query = { filter: { members: [face.member_id] }, sort: /** @type {const} */ ("name"), descending: false, fold: false, offset: 0, count: 1000 };
          const kept = () => (inventory.picture ? ask("inventory_grants", { query }).catch(() => null) : null);
          if (frame.session === null) {
            // With nobody signed in, what was kept is all there is.
            const page = await ask("inventory_grants", { query });
            whole = { reply: { member: page.rows[0]?.member ?? face, unreadable: page.unreadable, read_at: page.read_at }, all: page.rows };
          } else {
            const [reply, page] = await Promise.all([ask("member_connected_apps", { member_id: face.member_id }), kept()]);
            // Read by id, a member may have no name in the answer: then it is the one that the inventory has.
            if (!reply.member.name && !reply.member.email) reply.member = { ...reply.member, name: face.name, email: face.email };
            known = new Map((page?.rows ?? []).map((row) => [row.app.connected_app_id, row]));
            whole = { reply, all: reply.grants.map((grant) => ({ member: reply.member, app: grant.app, scopes: grant.scopes, ...fitting(known.get(grant.app.connected_app_id), grant.scopes) })) };
          }
        }
        const { all, reply } = whole;
        return { rows: all.slice(offset, offset + count), matching: all.length, total: all.length, unreadable: reply.unreadable, read_at: reply.read_at, member: reply.member };
      },
      onPage: (root, page) => {
        titled(root, memberName(page.member));
        facts(root, page.member);
        const all = el("button", { class: "b danger", type: "button", "data-test": "revoke-all" }, words.plan.offboard(page.total));
        all.disabled = frame.session === null || page.total === 0;
        if (frame.session === null) all.title = frame.whyReadOnly();
        // What was read just now is what is meant, whether the inventory has it or not.
        all.addEventListener("click", () => frame.plan({ kind: "pairs", pairs: (whole?.all ?? []).map((grant) => ({ member_id: grant.member.member_id, connected_app_id: grant.app.connected_app_id })) }));
        const erase = el("button", { class: "lnk", type: "button", "data-test": "erase" }, words.erase.button);
        erase.addEventListener("click", () => erasePerson(frame, page.member));
        actsPut(root, all, erase);
      },
    });
    facts(sheet.root, face);
    shown = sheet;
    screen.show(sheet.root);
    screen.table.rows.pick(face.member_id);
    sheet.rows.load().then(() => {
      if (!sheet.root.isConnected || document.querySelector("dialog[open]")) return;
      const at = only === undefined ? -1 : (whole?.all.findIndex((grant) => grant.app.connected_app_id === only) ?? -1);
      if (at >= 0) sheet.rows.moveTo(at);
      else sheet.focus();
    });
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
    enter: () => {
      screen.enter();
      if (screen.opened()) return;
      if (denied()) instead();
      else screen.filter.focus();
    },
    load: async () => {
      screen.load();
      // In a wide window both fit beside each other; in a narrow one the reason comes first, with a button to one's own.
      if (denied() && matchMedia("(min-width: 1001px)").matches) own();
    },
    reload: () => { screen.load(); },
    redraw: () => { if (shown?.root.isConnected) shown.rows.load(); },
    changed: (what, inSight) => {
      screen.changed(what, inSight);
      // The reading names how many there are by id.
      if (what === "picture" && inSight && denied()) screen.load();
    },
    escape: () => screen.opened() && close(),
    filter: screen.filter,
    export: (format) => ({ noun: "members", query: screen.table.query(), selection: frame.choices.members.rule, format }),
    openRow: async (id, only) => {
      const query = { filter: { members: [id] }, sort: /** @type {const} */ ("name"), descending: false, fold: false, offset: 0, count: 1 };
      const [row] = (await ask("inventory_members", { query })).rows;
      open(row?.face ?? { member_id: id, name: null, email: null, yourself: false }, only);
    },
  };
}

/**
 * What the inventory knows of a grant, as long as it still has the scopes that were rated.
 * @param {GrantRow | undefined} row
 * @param {string[]} scopes
 */
function fitting(row, scopes) {
  if (!row || [...row.scopes].sort().join(" ") !== [...scopes].sort().join(" ")) return {};
  return { width: row.width, first_seen: row.first_seen, change: row.change, scopes_before: row.scopes_before };
}
