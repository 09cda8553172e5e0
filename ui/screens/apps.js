// Apps: every connected app of the organization, and who gave each one access.

import { ask } from "../bridge.js";
import { browse } from "../elements/browse.js";
import { copyButton } from "../elements/copy.js";
import { grants, titled } from "../elements/grants.js";
import { note } from "../elements/telling.js";
import { el, put, slot } from "../lib/dom.js";
import { idTail, named, whole } from "../lib/text.js";
import { words } from "../words/en.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../contract.js").AppFace} AppFace */

/**
 * How a client type is called.
 * @param {string} type
 * @param {"types" | "types_long"} [as]
 */
export function typeWords(type, as = "types") {
  return /** @type {Record<string, string>} */ (words.apps[as])[type] ?? type;
}

/**
 * @param {Frame} frame
 * @returns {import("./frame.js").View}
 */
export function apps(frame) {
  const screen = browse(frame, {
    key: "apps",
    title: words.apps.title,
    label: words.apps.list,
    filter: words.apps.filter,
    columns: "t-app-columns",
    template: "t-app-row",
    summary: words.apps.summary,
    pick: words.apps.pick,
    none: { title: words.apps.none, next: words.apps.none_next },
    fetch: (window) => ask("connected_app_list", { window }),
    id: (app) => app.connected_app_id,
    paint: (node, app) => {
      put(slot(node, "name"), named(app.name, { strong: true }));
      put(slot(node, "tail"), idTail(app.connected_app_id));
      put(slot(node, "description"), app.description ? named(app.description) : "");
      put(slot(node, "type"), named(typeWords(app.client_type)));
    },
    onOpen: open,
    onPage: (page) => frame.counted("apps", page.total),
  });

  /** What the detail shows, if it shows anything. @type {{ root: HTMLElement, rows: { load: () => unknown } } | null} */
  let shown = null;

  /** @param {AppFace} face */
  function open(face) {
    const sheet = grants(frame, {
      of: "app",
      id: face.connected_app_id,
      title: face.name,
      heading: words.apps.members_heading,
      filter: words.apps.members_filter,
      counted: words.number,
      none: words.apps.members_none,
      back: () => screen.show(null),
      fetch: async (window) => {
        const reply = await ask("connected_app_members", { connected_app_id: face.connected_app_id, window });
        return { ...reply, rows: reply.rows.map((row) => ({ member: row.member, app: reply.app, scopes: row.scopes })) };
      },
      // An id fills two lines where a name fills one.
      height: (page) => (page.names_known ? null : 70),
      onPage: (root, page) => facts(root, page.app, page.names_known),
    });
    facts(sheet.root, face, true);
    shown = sheet;
    screen.show(sheet.root);
    slot(sheet.root, "title").focus();
    sheet.rows.load().then(() => { if (sheet.root.isConnected && !document.querySelector("dialog[open]")) sheet.focus(); });
  }

  /** @param {HTMLElement} root @param {AppFace} app @param {boolean} namesKnown */
  function facts(root, app, namesKnown) {
    titled(root, app.name);
    const description = slot(root, "description");
    description.hidden = app.description === "";
    if (app.description.length > 160) {
      description.tabIndex = 0;
      description.setAttribute("role", "group");
    }
    put(description, app.description ? named(app.description, { limit: 10_000, title: false }) : null);
    put(
      slot(root, "facts"),
      el("dt", {}, words.apps.type),
      el("dd", { "data-fact": "type" }, named(typeWords(app.client_type, "types_long"))),
      el("dt", {}, words.apps.pick_id),
      el("dd", { "data-fact": "connected_app_id" }, whole(app.connected_app_id, { mono: true }), " ", copyButton(app.connected_app_id, words.apps.pick_id)),
    );
    put(
      slot(root, "notes"),
      app.first_party ? note("first_party", words.apps.first_party_note) : null,
      namesKnown ? null : note("names_denied", words.apps.names_denied),
    );
  }

  return {
    root: screen.root,
    enter: screen.enter,
    load: () => screen.rows.load(),
    reload: () => { screen.rows.load(); },
    redraw: () => { if (shown?.root.isConnected) shown.rows.load(); },
  };
}
