// Apps: every connected app of the organization as it was last read, groups of look-alikes folded, and who gave each one access.

import { ask } from "../bridge.js";
import { copyButton } from "../elements/copy.js";
import { changeMarks, oddTags, oddWords, scopesLine, seenSentence, seenShort, widthSentence, widthTag } from "../elements/facts_of.js";
import { actsPut, grants, titled } from "../elements/grants.js";
import { listing } from "../elements/listing.js";
import { note } from "../elements/telling.js";
import { el, put, say, slot } from "../lib/dom.js";
import { idTail, named, whole } from "../lib/text.js";
import { time } from "../lib/time.js";
import { words } from "../words/en.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../contract.js").AppRow} AppRow */
/** @typedef {import("../contract.js").Filter} Filter */
/** Why no reading lists an app any more. @typedef {"hidden" | "cut_short" | "not_listed"} Unlisted */

/** Clients of a group that are listed one by one. */
const CLIENTS = 100;

/**
 * How a client type is called.
 * @param {string} type
 * @param {"types" | "types_long"} [as]
 */
export function typeWords(type, as = "types") {
  return /** @type {Record<string, string>} */ (words.apps[as])[type] ?? type;
}

/** The id of a row: a group's, or an app's. @param {AppRow} row */
export const rowId = (row) => (row.group !== null && row.clients > 1 ? `group:${row.group}` : row.app.connected_app_id);

/**
 * @param {Frame} frame
 * @returns {import("./frame.js").View}
 */
export function apps(frame) {
  const { inventory } = frame;
  const screen = listing(frame, {
    key: "apps",
    fold: true,
    title: words.apps.title,
    label: words.apps.list,
    placeholder: words.apps.filter,
    matching: (m, t) => words.apps.matching(m, t, t === inventory.picture?.apps),
    head: "t-app-head",
    row: "t-app-row",
    height: 50,
    sort: "grants",
    descending: true,
    fetch: (query) => ask("inventory_apps", { query }),
    id: rowId,
    paint,
    open: (row) => { open(row); },
    none: () => ({ title: words.apps.none, next: words.apps.none_next }),
  });

  /** @param {HTMLElement} node @param {AppRow} row */
  function paint(node, row) {
    const { app } = row;
    const folded = row.clients > 1;
    node.classList.toggle("flagged", row.odd.length > 0);
    // While a first reading is under way, what has not been read yet is simply still to come.
    const coming = inventory.picture?.source === "under_way";
    put(
      slot(node, "name"),
      folded ? el("span", { class: "turn", "aria-hidden": "true" }, "▸") : null,
      named(app.name, { strong: true }),
      folded ? el("span", { class: "tag", "data-test": "look-alikes" }, words.apps.look_alikes(row.clients)) : null,
      ...oddTags(row.odd),
      el("span", { class: "marks" }, ...changeMarks(row.changes, row.grants)),
      row.reading === "complete" || coming ? null : el("span", { class: "tag warn", "data-test": "reading", title: words.apps.reading_title }, readingWords(row.reading)),
    );
    put(slot(node, "tail"), folded ? words.apps.clients(row.clients, row.grants) : idTail(app.connected_app_id));
    const type = typeWords(app.client_type);
    const more = row.odd.length > 0 ? words.apps.not_in_group : app.description && !folded ? named(app.description, { title: false }) : null;
    put(slot(node, "under"), el("span", { class: "only-narrow" }, named(type), more ? " · " : ""), more);
    put(slot(node, "type"), named(type));
    const unread = row.reading !== "complete" && row.grants === 0;
    put(slot(node, "members"), unread ? (coming ? "…" : "?") : row.grants_matching < row.grants ? words.apps.some_of(row.grants_matching, row.grants) : words.number(row.members));
    put(slot(node, "scopes"), ...(unread ? [el("span", { class: "soft" }, coming ? "…" : words.unknown_value)] : scopesLine(row.scopes, row.scope_count, row.width, 1)));
    put(slot(node, "seen"), seenShort(row.first_seen));
    put(slot(node, "marks"), ...changeMarks(row.changes, row.grants));
  }

  /** What the detail shows, if it shows anything. @type {{ root: HTMLElement, rows: { load: (how?: any) => unknown }, again: () => unknown } | null} */
  let shown = null;
  // A detail that was out of sight while something changed is brought up to date before it is seen again.
  let behind = false;
  /** The row that is open, as far as it can be contained. @type {{ row: AppRow, folded: boolean } | null} */
  let contained = null;

  function close() {
    const had = screen.show(null);
    shown = null;
    contained = null;
    screen.table.rows.pick(null);
    if (had && !screen.table.rows.focus()) screen.filter.focus();
    return had;
  }

  /**
   * @param {AppRow} row
   * @param {{ from?: AppRow }} [how] `from`: the group that it was opened from
   */
  function open(row, how = {}) {
    const folded = row.clients > 1;
    contained = { row, folded };
    /** @type {Filter} */
    const of = folded && row.group ? { group: row.group } : { apps: [row.app.connected_app_id] };
    let now = row;
    /** Why the newest picture does not have it, when it does not. @type {Unlisted | null} */
    let unlisted = null;
    behind = false;
    const sheet = grants(frame, {
      of: "app",
      id: rowId(row),
      title: row.app.name,
      heading: folded ? words.apps.grants_heading : words.apps.members_heading,
      filter: words.apps.members_filter,
      counted: words.number,
      get none() { return unlisted === null ? words.apps.members_none : folded ? words.apps.unlisted.group_none : words.apps.unlisted.none; },
      clients: folded,
      back: () => {
        const { from } = how;
        if (from) open(from);
        else close();
      },
      fetch: async ({ filter, offset, count }) => {
        const query = { filter: filter === "" ? of : { ...of, text: filter }, sort: /** @type {const} */ ("member"), descending: false, fold: false, offset, count };
        const page = await ask("inventory_grants", { query });
        return { ...page, total: now.grants };
      },
      reread: () => inventory.read(),
      height: (page) => (page.rows.some((grant) => !grant.member.name && !grant.member.email) ? 70 : null),
      onPage: () => {},
    });
    shown = {
      root: sheet.root,
      rows: sheet.rows,
      again: async () => {
        const query = { filter: of, sort: /** @type {const} */ ("name"), descending: false, fold: folded, offset: 0, count: 1 };
        const page = await ask("inventory_apps", { query }).catch(() => null);
        const fresh = page?.rows[0];
        if (fresh && rowId(fresh) === rowId(row)) {
          now = fresh;
          unlisted = null;
          contained = { row: fresh, folded };
          facts(sheet.root, fresh, folded, how.from ?? null);
        } else if (page) {
          // What it said before is of an earlier reading: nothing of that is left standing as if it were so now.
          now = { ...row, grants: 0 };
          unlisted = whyUnlisted(folded ? null : row.app.connected_app_id);
          contained = unlisted === "hidden" ? null : { row, folded };
          unlistedFacts(sheet.root, row, folded, unlisted);
        }
        await sheet.rows.load();
      },
    };
    facts(sheet.root, row, folded, how.from ?? null);
    screen.show(sheet.root);
    screen.table.rows.pick(rowId(how.from ?? row));
    slot(sheet.root, "title").focus();
    sheet.rows.load().then(() => { if (sheet.root.isConnected && !document.querySelector("dialog[open]")) sheet.focus(); });
  }

  /** What no reading changes. @param {AppRow["app"]} app @param {boolean} folded */
  function whatItIs(app, folded) {
    const type = [el("dt", {}, words.apps.type), el("dd", { "data-fact": "type" }, named(typeWords(app.client_type, "types_long")))];
    return folded ? type : [...type, el("dt", {}, words.apps.pick_id), el("dd", { "data-fact": "connected_app_id" }, whole(app.connected_app_id, { mono: true }), " ", copyButton(app.connected_app_id, words.apps.pick_id))];
  }

  /** @param {HTMLElement} root @param {AppRow} row @param {boolean} folded @param {AppRow | null} from */
  function facts(root, row, folded, from) {
    const { app } = row;
    titled(root, app.name);
    const description = slot(root, "description");
    description.hidden = app.description === "" || folded;
    if (app.description.length > 160) {
      description.tabIndex = 0;
      description.setAttribute("role", "group");
    }
    put(description, app.description ? named(app.description, { limit: 10_000, title: false }) : null);
    const reconnect = row.may_reconnect === null ? words.facts.coming_unknown : row.may_reconnect ? words.apps.reconnect_yes : words.apps.reconnect_no;
    put(
      slot(root, "facts"),
      ...whatItIs(app, folded),
      el("dt", {}, words.apps.granted_by),
      el("dd", { "data-fact": "granted_by" }, folded ? words.apps.granted_group(row.grants, row.clients, row.scope_sets) : words.apps.granted(row.grants, row.scope_sets), ...marked(row)),
      el("dt", {}, words.apps.policy),
      el("dd", { "data-fact": "may_reconnect" }, reconnect),
      el("dt", {}, words.apps.seen),
      el("dd", { "data-fact": "first_seen" }, seenSentence(row.first_seen)),
      el("dt", {}, words.apps.width),
      el("dd", { "data-fact": "width" }, widthTag(row.width), " ", widthSentence(row.width)),
    );
    const notes = slot(root, "notes");
    put(
      notes,
      ...row.odd.map((one) => note(`odd_${one.kind}`, el("b", {}, words.apps.flagged), " ", `${oddWords(one)}. `, words.apps.flagged_note)),
      app.first_party ? note("first_party", words.apps.first_party_note) : null,
      row.reading === "complete" ? null : note("reading", words.apps.reading_note(readingWords(row.reading))),
      inventory.picture?.names === "denied" ? note("names_denied", words.apps.names_denied) : null,
    );
    const all = el("button", { class: "b danger", type: "button", "data-test": "revoke-all" }, words.plan.everyone(row.grants));
    all.disabled = frame.session === null || row.grants === 0;
    if (frame.session === null) all.title = frame.whyReadOnly();
    all.addEventListener("click", () => frame.plan(folded && row.group ? { kind: "group", group: row.group } : { kind: "app", connected_app_id: app.connected_app_id }));
    actsPut(root, containButton(row, folded), all);
    if (folded && row.group) clients(notes, row.group, row);
    else if (from) {
      const up = el("button", { class: "lnk", type: "button", "data-test": "group-back" }, words.apps.back_to_group(from.clients));
      up.addEventListener("click", () => open(from));
      notes.append(el("p", {}, up));
    } else if (row.odd.length > 0) {
      const beside = row.odd.find((one) => one.beside !== null)?.beside;
      if (beside) besideGroup(notes, beside);
    }
  }

  /** Why an app that was opened is not in the newest picture, as far as that tells. @param {string | null} id `null`: a group @returns {Unlisted} */
  function whyUnlisted(id) {
    const cause = inventory.picture?.missing.find((one) => one.what === "app" && id !== null && one.app?.connected_app_id === id)?.cause;
    return cause === "hidden" || cause === "cut_short" ? cause : "not_listed";
  }

  /** The facts of what no reading lists any more: what it is, and nothing of whom it had. @param {HTMLElement} root @param {AppRow} row @param {boolean} folded @param {Unlisted} why */
  function unlistedFacts(root, row, folded, why) {
    const { app } = row;
    const at = () => time(inventory.picture?.read_at ?? "");
    put(
      slot(root, "facts"),
      ...whatItIs(app, folded),
      el("dt", {}, words.apps.granted_by),
      el("dd", { "data-fact": "granted_by" }, say(words.apps.unlisted.as_of, { at: at() })),
      el("dt", {}, words.apps.policy),
      el("dd", { "data-fact": "may_reconnect" }, why === "hidden" ? words.apps.reconnect_no : words.facts.coming_unknown),
      el("dt", {}, words.apps.seen),
      el("dd", { "data-fact": "first_seen" }, seenSentence(row.first_seen)),
    );
    put(slot(root, "notes"), note("unlisted", el("b", {}, folded ? words.apps.unlisted.group : words.apps.unlisted.app), " ", words.apps.unlisted[why]));
    // What the policy hides it forbids already.
    if (why === "hidden" || folded) { actsPut(root); return; }
    actsPut(root, containButton(row, folded));
  }

  /** @param {AppRow} row @param {boolean} folded */
  function containButton(row, folded) {
    const made = el("button", { class: "b danger", type: "button", "data-test": "contain" }, words.contain.button);
    made.disabled = frame.session === null;
    if (frame.session === null) made.title = frame.whyReadOnly();
    made.addEventListener("click", () => containRow(row, folded));
    return made;
  }

  /** @param {AppRow} row @param {boolean} folded */
  function containRow(row, folded) {
    frame.contain(folded && row.group ? { kind: "group", group: row.group } : { kind: "apps", connected_app_ids: [row.app.connected_app_id] }, row.app.name);
  }

  /** @param {AppRow} row */
  function marked(row) {
    const marks = changeMarks(row.changes, row.grants);
    return marks.length > 0 ? [" ", ...marks] : [];
  }

  /** The clients of a group, and those flagged beside it. @param {HTMLElement} notes @param {string} id @param {AppRow} group */
  async function clients(notes, id, group) {
    const place = el("div", { class: "clients", "data-test": "clients" });
    const odd = el("div", { class: "note", "data-test": "flagged", hidden: true });
    notes.append(place, odd);
    const base = { sort: /** @type {const} */ ("grants"), descending: true, fold: false, offset: 0, count: CLIENTS };
    const [inside, flagged] = await Promise.all([
      ask("inventory_apps", { query: { ...base, filter: { group: id } } }).catch(() => null),
      ask("inventory_apps", { query: { ...base, count: 1000, filter: { look_alikes: ["odd"] } } }).catch(() => null),
    ]);
    if (!place.isConnected) return;
    if (inside) {
      const details = el("details", { open: inside.rows.length <= 4 }, el("summary", {}, words.apps.clients_heading(inside.matching)));
      details.append(el("ul", {}, ...inside.rows.map((row) => el("li", {}, opener(row, group, idTail(row.app.connected_app_id)), el("small", { class: "num" }, words.apps.members(row.grants)), widthTag(row.width))), inside.matching > inside.rows.length ? el("li", { class: "soft" }, words.filters.more(inside.matching - inside.rows.length)) : null));
      put(place, details);
    }
    const beside = flagged?.rows.filter((row) => row.odd.some((one) => one.beside === id)) ?? [];
    odd.hidden = beside.length === 0;
    put(
      odd,
      el("b", {}, words.apps.beside(beside.length)), " ", words.apps.beside_note,
      el("ul", {}, ...beside.map((row) => el("li", {}, opener(row, group, named(row.app.name, { limit: 80, strong: true })), el("small", { class: "num" }, words.apps.members(row.grants)), ...oddTags(row.odd)))),
    );
  }

  /** @param {AppRow} row @param {AppRow} group @param {import("../lib/dom.js").Piece} label */
  function opener(row, group, label) {
    const made = el("button", { class: "lnk", type: "button", "data-test": "client", "data-id": row.app.connected_app_id }, label);
    made.addEventListener("click", () => open({ ...row, clients: 1 }, { from: group }));
    return made;
  }

  /** @param {HTMLElement} notes @param {string} id */
  async function besideGroup(notes, id) {
    const query = { filter: { group: id }, sort: /** @type {const} */ ("grants"), descending: true, fold: true, offset: 0, count: 1 };
    const [group] = (await ask("inventory_apps", { query }).catch(() => null))?.rows ?? [];
    if (!group || !notes.isConnected) return;
    const go = el("button", { class: "lnk", type: "button", "data-test": "group-open" }, words.apps.open_group(group.clients));
    go.addEventListener("click", () => open(group));
    notes.append(el("p", {}, go));
  }

  /** Brings what the detail says up to date, or remembers that it has to be once it is seen again. */
  function again() {
    behind = shown !== null && !shown.root.isConnected;
    if (!behind) shown?.again();
  }

  return {
    root: screen.root,
    enter: () => {
      screen.enter();
      if (!screen.opened()) screen.filter.focus();
      if (behind) again();
    },
    load: async () => { screen.load(); },
    reload: () => { screen.load(); },
    redraw: again,
    changed: (what, inSight) => {
      screen.changed(what, inSight);
      if (what === "picture") again();
    },
    escape: () => screen.opened() && close(),
    contain: () => (contained ? { name: contained.row.app.name, run: () => { if (contained) containRow(contained.row, contained.folded); } } : null),
    filter: screen.filter,
    export: (format) => ({ noun: "apps", query: screen.table.query(), selection: frame.choices.apps.rule, format }),
    openRow: async (id) => {
      const filter = id.startsWith("group:") ? { group: id.slice(6) } : { apps: [id] };
      const query = { filter, sort: /** @type {const} */ ("name"), descending: false, fold: id.startsWith("group:"), offset: 0, count: 1 };
      const [row] = (await ask("inventory_apps", { query })).rows;
      if (row) open(row);
    },
  };
}

/** @param {string} reading */
function readingWords(reading) {
  return /** @type {Record<string, string>} */ (words.apps.readings)[reading] ?? words.apps.readings.other;
}
