// A small inventory in memory, which answers the page's questions the way the shell does: filters, sorts, folds, selects, draws.
// It is a stand-in to look at the page with, and no reference for the shell's own.

import * as f from "./facts.js";

/** @typedef {import("../../../ui/contract.js").AppFace} AppFace */
/** @typedef {import("../../../ui/contract.js").MemberFace} MemberFace */
/** @typedef {import("../../../ui/contract.js").AppRow} AppRow */
/** @typedef {import("../../../ui/contract.js").Filter} Filter */
/** @typedef {import("../../../ui/contract.js").Oddity} Oddity */
/** @typedef {import("../../../ui/contract.js").Width} Width */
/** @typedef {import("../../../ui/contract.js").FirstSeen} FirstSeen */
/** @typedef {import("../../../ui/contract.js").GrantChange} GrantChange */
/** @typedef {import("../../../ui/contract.js").PictureFacts} PictureFacts */
/** @typedef {import("../../../ui/contract.js").InventoryQuery} InventoryQuery */
/** @typedef {import("../../../ui/contract.js").WidthRule} WidthRule */
/** @typedef {import("../../../ui/contract.js").UnreadableRow} UnreadableRow */
/** @typedef {import("./scenes.js").Answers} Answers */

/** @typedef {{ face: MemberFace, status: string | null, roles: string[] }} Member */
/** @typedef {{ app: number, member: number, scopes: string[], width: Width, first_seen: FirstSeen, change: GrantChange | null, before: string[] | null }} Grant */
/** @typedef {{ face: AppFace, group: string | null, odd: Oddity[], reading: string, may_reconnect: boolean | null }} App */

const DAY = 86_400;

/** @type {WidthRule[]} */
export const RULES = [
  { label: "everything", patterns: ["*", "full_access"].slice(1), level: 3 },
  { label: "admin", patterns: ["*admin*", "*.manage"], level: 3 },
  { label: "write", patterns: ["*write*", "*.edit", "*.delete"], level: 3 },
  { label: "offline", patterns: ["offline_access"], level: 2 },
  { label: "read", patterns: ["*read*"], level: 1 },
  { label: "sign-in", patterns: ["openid", "profile", "email"], level: 1 },
  { label: "other", patterns: ["*"], level: 2 },
];

/** @param {string[]} scopes @returns {Width} */
export function widthOf(scopes) {
  /** @type {Width} */
  let widest = { level: 0, rule: "", scope: "" };
  for (const scope of scopes) {
    const rule = RULES.find((one) => one.patterns.some((pattern) => new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*")}$`, "i").test(scope)));
    if (rule && rule.level > widest.level) widest = { level: rule.level, rule: rule.label, scope };
  }
  return widest;
}

/** Numbers that are the same in each run. @param {number} seed */
function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

const SETS = [
  ["contacts.write", "contacts.read", "offline_access"], ["openid", "profile", "email"], ["reports.read"], ["offline_access", "openid", "email"],
  ["contacts.read"], ["full_access", "openid"], ["org.admin", "contacts.read", "offline_access"], ["calendar.write", "calendar.read"], ["files.read", "files.write", "offline_access"], [],
];

const NAMES = ["DataSync", "Claude", "Quarterly Deck Builder", "Ledgerline", "Meeting Notes", "Inbox Zero Agent", "Postbox Relay", "Standup Bot", "Roadmapper", "Invoice Reader", "Pipeline Pilot", "Night Export", "Translate It", "Signature Desk", "Warehouse Mirror", "Travel Desk", "Board Pack", "Survey Runner", "Phone Bridge", "Rota", "Deal Room", "Badge Printer", "Status Page", "Ticket Sorter"];

/**
 * @typedef {object} Made
 * @property {App[]} apps
 * @property {Member[]} members
 * @property {Grant[]} grants
 */

/**
 * An organization of some size, with a group of look-alikes, a flagged one beside it, and the usual few that everybody has.
 * @param {number} many members
 * @param {number} howMany apps
 * @returns {Made}
 */
export function organization(many, howMany) {
  const roll = dice(7);
  /** @type {App[]} */
  const apps = [
    { face: f.dataSync, group: null, odd: [], reading: "complete", may_reconnect: true },
    { face: f.apps[3] ?? f.cli, group: null, odd: [], reading: "complete", may_reconnect: true },
    { face: f.apps[5] ?? f.cli, group: null, odd: [], reading: "complete", may_reconnect: true },
  ];
  const claude = f.apps[1] ?? f.dataSync;
  for (let n = 0; n < 7; n += 1) apps.push({ face: { ...claude, connected_app_id: `${claude.connected_app_id.slice(0, -2)}${10 + n}` }, group: "claude", odd: [], reading: "complete", may_reconnect: true });
  apps.push({ face: f.apps[2] ?? claude, group: null, odd: [{ kind: "confusable", detail: "U+0430 CYRILLIC SMALL LETTER A", beside: "claude" }, { kind: "wider_scopes", detail: "org.admin", beside: "claude" }], reading: "complete", may_reconnect: null });
  for (let n = apps.length; n < howMany; n += 1) {
    const name = NAMES[2 + (n % (NAMES.length - 2))] ?? "App";
    const round = Math.floor(n / (NAMES.length - 2));
    const public_ = n % 3 === 0;
    apps.push({ face: { connected_app_id: `connected-app-test-${String(n).padStart(8, "0")}-4c1e-4b7a-9d2f-00000000${String(1000 + n)}`, name: round === 0 ? name : `${name} ${round + 1}`, description: n % 4 === 0 ? "" : "Does one thing for you each morning", client_type: public_ ? "third_party_public" : "third_party", first_party: false }, group: null, odd: [], reading: "complete", may_reconnect: n % 5 !== 0 });
  }
  /** @type {Member[]} */
  const members = Array.from({ length: many }, (_, n) => f.memberRow(n));
  /** @type {Grant[]} */
  const grants = [];
  for (const [a, app] of apps.entries()) {
    const share = a === 0 ? 0.62 : a < 3 ? 0.34 : app.group ? 0.05 : app.odd.length > 0 ? 2.2 / many : Math.max(0.004, 0.5 / (1 + (a - 6) * 0.35));
    // Teams: the members of one share their apps, which is the structure that the map shows.
    for (const [m] of members.entries()) {
      const team = m % 5;
      const fits = a % 5 === team ? 2.1 : 0.55;
      if (roll() > share * fits) continue;
      const scopes = app.odd.length > 0 ? (SETS[6] ?? []) : (SETS[(a * 3 + (roll() > 0.82 ? 1 : 0)) % SETS.length] ?? []);
      const recent = roll();
      /** @type {GrantChange | null} */
      const change = app.odd.length > 0 ? "new" : recent > 0.985 ? "new" : recent > 0.978 ? "widened" : recent > 0.974 ? "narrowed" : null;
      grants.push({ app: a, member: m, scopes, width: widthOf(scopes), first_seen: change === "new" ? { after: f.at(-3 * DAY), by: f.at(-60) } : a % 4 === 3 ? { after: f.at(-20 * DAY), by: f.at(-12 * DAY) } : { after: null, by: f.at(-51 * DAY) }, change, before: change === "widened" ? scopes.slice(1) : change === "narrowed" ? [...scopes, "offline_access"] : null });
    }
  }
  return { apps, members, grants };
}

/** An organization made of strangers' names. @returns {Made} */
export function hostileOrganization() {
  /** @type {App[]} */
  const apps = f.hostile.map((face, n) => ({ face, group: null, odd: n === 2 ? [{ kind: "invisible", detail: "U+200B ZERO WIDTH SPACE", beside: null }] : n === 1 ? [{ kind: "bidi", detail: "U+202E RIGHT-TO-LEFT OVERRIDE", beside: null }] : n === 7 ? [{ kind: "<b>kind</b>", detail: "<i>detail</i>", beside: null }] : [], reading: "complete", may_reconnect: true }));
  const members = f.hostileMembers.map((row, n) => ({ ...row, face: { ...row.face, member_id: `${row.face.member_id}${n}` } }));
  /** @type {Grant[]} */
  const grants = [];
  for (const [a] of apps.entries()) {
    for (const [m] of members.entries()) {
      const scopes = m % 2 ? ["<u>scope</u>", "\u202Escope"] : ["s".repeat(3000)];
      grants.push({ app: a, member: m, scopes, width: { level: 3, rule: "<b>rule</b>\u202E", scope: scopes[0] ?? "" }, first_seen: { after: null, by: f.at(-DAY) }, change: m === 3 ? "widened" : null, before: m === 3 ? ["<s>before</s>"] : null });
    }
  }
  return { apps, members, grants };
}

/** @param {Partial<PictureFacts>} [given] @returns {PictureFacts} */
export const picture = (given = {}) => ({
  source: "read",
  organization_id: f.session.organization_id,
  organization_name: "Acme Robotics",
  base_url: "https://test.stytch.com",
  environment: "test",
  read_by: "nora@acme.test",
  snapshot: 9,
  began_at: f.at(-64),
  read_at: f.at(-61),
  complete: true,
  missing: [],
  apps: 0,
  apps_read: 0,
  members: 0,
  names: "read",
  grants: 0,
  changes: { new: 0, widened: 0, narrowed: 0, altered: 0, gone: 0 },
  since: { snapshot: 7, read_at: f.at(-3 * DAY) },
  read_only: false,
  ...given,
});

/**
 * @param {Made} made
 * @param {{ facts?: Partial<PictureFacts>, unreadable?: UnreadableRow[], idsOnly?: boolean, snapshots?: number }} [how]
 */
export function inventory(made, how = {}) {
  const { apps, grants } = made;
  const members = how.idsOnly ? made.members.map((one) => ({ face: { ...one.face, name: null, email: null }, status: null, roles: [] })) : made.members;
  const apps_text = apps.map((one) => `${one.face.name} ${one.face.description} ${one.face.connected_app_id} ${one.face.client_type}`.toLowerCase());
  const members_text = members.map((one) => `${one.face.name ?? ""} ${one.face.email ?? ""} ${one.face.member_id} ${one.status ?? ""} ${one.roles.join(" ")}`.toLowerCase());
  const unreadable = how.unreadable ?? [];
  /** @param {Iterable<Grant>} of */
  const changes = (of) => {
    const out = { new: 0, widened: 0, narrowed: 0, altered: 0, gone: 0 };
    for (const one of of) if (one.change) out[one.change] += 1;
    return out;
  };
  const facts = picture({ apps: apps.length, apps_read: apps.filter((one) => one.reading === "complete" || one.reading === "partial").length, members: members.length, grants: grants.length, changes: { ...changes(grants), gone: grants.length > 20 ? 1 : 0 }, names: how.idsOnly ? "denied" : "read", ...how.facts });

  /** @param {Filter} filter @param {number} a */
  function appFits(filter, a) {
    const one = apps[a];
    if (!one) return false;
    if (filter.apps?.length && !filter.apps.includes(one.face.connected_app_id)) return false;
    if (filter.client_types?.length && !filter.client_types.includes(one.face.client_type)) return false;
    if (filter.group && one.group !== filter.group) return false;
    if (filter.look_alikes?.length && !filter.look_alikes.some((kind) => (kind === "odd" ? one.odd.length > 0 : one.group !== null))) return false;
    return true;
  }
  /** @param {Filter} filter @param {number} m */
  function memberFits(filter, m) {
    const one = members[m];
    if (!one) return false;
    if (filter.members?.length && !filter.members.includes(one.face.member_id)) return false;
    if (filter.roles?.length && !filter.roles.some((role) => one.roles.includes(role))) return false;
    if (filter.statuses?.length && !filter.statuses.includes(one.status ?? "unknown")) return false;
    return true;
  }
  /** @param {Filter} filter */
  const wordsOf = (filter) => (filter.text ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  /** @type {Map<string, Grant[]>} */
  const cache = new Map();
  /** @param {Filter} filter */
  function matches(filter) {
    const key = JSON.stringify(filter);
    const had = cache.get(key);
    if (had) return had;
    const words = wordsOf(filter);
    const appOk = apps.map((_, a) => appFits(filter, a));
    const memberOk = members.map((_, m) => memberFits(filter, m));
    const found = grants.filter((grant) => {
      if (!appOk[grant.app] || !memberOk[grant.member]) return false;
      if (filter.scopes?.length && !filter.scopes.some((scope) => grant.scopes.includes(scope))) return false;
      if (filter.levels?.length && !filter.levels.includes(grant.width.level)) return false;
      if (filter.changes?.length && !(grant.change && filter.changes.includes(grant.change))) return false;
      if (filter.first_seen_after !== undefined && filter.first_seen_after !== null && grant.first_seen.after === null) return false;
      return words.every((word) => apps_text[grant.app]?.includes(word) || members_text[grant.member]?.includes(word) || grant.scopes.some((scope) => scope.toLowerCase().includes(word)));
    });
    cache.set(key, found);
    return found;
  }
  /** @param {Filter} filter */
  const bare = (filter) => !filter.scopes?.length && !filter.levels?.length && !filter.changes?.length && (filter.first_seen_after ?? null) === null;

  /** @param {InventoryQuery} query */
  function appRows({ filter, sort, descending, fold, offset, count }) {
    const found = matches(filter);
    /** @type {Map<string, number[]>} */
    const lines = new Map();
    for (const [a, one] of apps.entries()) {
      const key = fold && one.group ? `group:${one.group}` : one.face.connected_app_id;
      lines.set(key, [...(lines.get(key) ?? []), a]);
    }
    const mine = grouped(grants, (grant) => grant.app);
    const fitting = grouped(found, (grant) => grant.app);
    /** @type {AppRow[]} */
    const rows = [];
    for (const of of lines.values()) {
      const all = of.flatMap((a) => mine.get(a) ?? []);
      const some = of.flatMap((a) => fitting.get(a) ?? []);
      const words = wordsOf(filter);
      const own = all.length === 0 && bare(filter) && !filter.members?.length && !filter.roles?.length && !filter.statuses?.length && of.some((a) => appFits(filter, a) && words.every((word) => apps_text[a]?.includes(word)));
      if (some.length === 0 && !own) continue;
      const best = [...of].sort((a, b) => (mine.get(b)?.length ?? 0) - (mine.get(a)?.length ?? 0))[0] ?? 0;
      const one = apps[best];
      if (!one) continue;
      const scopes = [...new Set(all.flatMap((grant) => grant.scopes))].sort((x, y) => widthOf([y]).level - widthOf([x]).level || x.localeCompare(y));
      const widest = all.reduce((best, grant) => (grant.width.level > best.level ? grant.width : best), /** @type {Width} */ ({ level: 0, rule: "", scope: "" }));
      rows.push({
        app: one.face, group: one.group, clients: fold && one.group ? of.length : 1, members: new Set(all.map((grant) => grant.member)).size, grants: all.length, grants_matching: some.length, scopes: scopes.slice(0, 12), scope_count: scopes.length,
        scope_sets: new Set(all.map((grant) => grant.scopes.join(" "))).size, width: widest, first_seen: all.reduce((first, grant) => (grant.first_seen.by < first.by ? grant.first_seen : first), all[0]?.first_seen ?? { after: null, by: f.at(-51 * DAY) }),
        changes: changes(all), odd: one.odd, may_reconnect: one.may_reconnect, reading: one.reading,
      });
    }
    /** @type {Record<string, (row: AppRow) => number | string>} */
    const by = { name: (row) => row.app.name.toLowerCase(), type: (row) => row.app.client_type, grants: (row) => row.grants_matching, width: (row) => row.width.level, first_seen: (row) => row.first_seen.by };
    const of = by[sort] ?? by.name;
    rows.sort((x, y) => ordered(of?.(x) ?? 0, of?.(y) ?? 0) * (descending ? -1 : 1) || x.app.name.localeCompare(y.app.name) || x.app.connected_app_id.localeCompare(y.app.connected_app_id));
    return { rows: rows.slice(offset, offset + count), matching: rows.length, total: lines.size, grants_matching: found.length, grants: grants.length, unreadable, read_at: facts.read_at };
  }

  /** @param {InventoryQuery} query */
  function memberRows({ filter, sort, descending, offset, count }) {
    const found = matches(filter);
    const mine = grouped(grants, (grant) => grant.member);
    const fitting = grouped(found, (grant) => grant.member);
    const words = wordsOf(filter);
    /** @type {import("../../../ui/contract.js").MemberInventoryRow[]} */
    const rows = [];
    for (const [m, one] of members.entries()) {
      const all = mine.get(m) ?? [];
      const some = fitting.get(m) ?? [];
      const own = all.length === 0 && bare(filter) && !filter.apps?.length && !filter.client_types?.length && !filter.group && !filter.look_alikes?.length && memberFits(filter, m) && words.every((word) => members_text[m]?.includes(word));
      if (some.length === 0 && !own) continue;
      rows.push({ face: one.face, status: one.status, roles: one.roles, grants: all.length, grants_matching: some.length, width: all.reduce((best, grant) => (grant.width.level > best.level ? grant.width : best), /** @type {Width} */ ({ level: 0, rule: "", scope: "" })), changes: changes(all) });
    }
    /** @type {Record<string, (row: (typeof rows)[number]) => number | string>} */
    const by = { name: (row) => (row.face.name ?? row.face.member_id).toLowerCase(), status: (row) => row.status ?? "", grants: (row) => row.grants_matching, width: (row) => row.width.level };
    const of = by[sort] ?? by.name;
    rows.sort((x, y) => ordered(of?.(x) ?? 0, of?.(y) ?? 0) * (descending ? -1 : 1) || (x.face.name ?? "").localeCompare(y.face.name ?? "") || x.face.member_id.localeCompare(y.face.member_id));
    return { rows: rows.slice(offset, offset + count), matching: rows.length, total: members.length, grants_matching: found.length, grants: grants.length, unreadable, read_at: facts.read_at };
  }

  /** @param {Grant} grant */
  const line = (grant) => ({ member: members[grant.member]?.face ?? f.person(0), app: apps[grant.app]?.face ?? f.dataSync, scopes: grant.scopes, width: grant.width, first_seen: grant.first_seen, change: grant.change, scopes_before: grant.before });

  /** @param {InventoryQuery} query */
  function grantRows({ filter, sort, descending, offset, count }) {
    const found = [...matches(filter)];
    /** @param {Grant} grant */
    const app = (grant) => (apps[grant.app]?.face.name ?? "").toLowerCase();
    /** @param {Grant} grant */
    const who = (grant) => (members[grant.member]?.face.name ?? members[grant.member]?.face.member_id ?? "").toLowerCase();
    /** @type {Record<string, (grant: Grant) => number | string>} */
    const by = { name: app, member: who, width: (grant) => grant.width.level, first_seen: (grant) => grant.first_seen.by };
    const of = by[sort] ?? app;
    const keys = new Map(found.map((grant) => [grant, [of(grant), app(grant), who(grant)]]));
    found.sort((x, y) => {
      const [a = "", b = "", c = ""] = keys.get(x) ?? [];
      const [p = "", q = "", r = ""] = keys.get(y) ?? [];
      return ordered(a, p) * (descending ? -1 : 1) || ordered(b, q) || ordered(c, r) || x.member - y.member;
    });
    return { rows: found.slice(offset, offset + count).map(line), matching: found.length, total: grants.length, unreadable: filter.apps?.length === 1 ? unreadable : [], read_at: facts.read_at };
  }

  /** @type {Map<string, { rows: Array<{ key: string, apps: number[] }>, columns: number[], found: Grant[] }>} */
  const orders = new Map();
  /** @param {Filter} filter */
  function order(filter) {
    const key = JSON.stringify(filter);
    const had = orders.get(key);
    if (had) return had;
    const found = matches(filter);
    /** @type {Map<string, { key: string, apps: number[], n: number }>} */
    const rows = new Map();
    for (const grant of found) {
      const one = apps[grant.app];
      const name = one?.group ? `group:${one.group}` : String(grant.app);
      const row = rows.get(name) ?? { key: name, apps: [], n: 0 };
      if (!row.apps.includes(grant.app)) row.apps.push(grant.app);
      row.n += 1;
      rows.set(name, row);
    }
    const sorted = [...rows.values()].sort((a, b) => b.n - a.n);
    const place = new Map(sorted.flatMap((row, n) => row.apps.map((a) => /** @type {const} */ ([a, n]))));
    /** @type {Map<number, number[]>} */
    const signs = new Map();
    for (const grant of found) signs.set(grant.member, [...(signs.get(grant.member) ?? []), place.get(grant.app) ?? 0]);
    const columns = [...signs.entries()].map(([m, of]) => ({ m, sign: [...of].sort((a, b) => a - b).map((n) => String(n).padStart(4, "0")).join("") })).sort((a, b) => (a.sign < b.sign ? -1 : 1)).map((one) => one.m);
    const out = { rows: sorted, columns, found };
    orders.set(key, out);
    return out;
  }

  /** @param {number} first @param {number} count @param {number} cells */
  function bands(first, count, cells) {
    const n = Math.min(count, Math.max(1, cells));
    return Array.from({ length: n }, (_, k) => {
      const from = first + Math.floor((k * count) / n);
      return { first: from, count: first + Math.floor(((k + 1) * count) / n) - from };
    });
  }

  /** @param {import("../../../ui/contract.js").MapQuery} query @returns {import("../../../ui/contract.js").MapPicture} */
  function map(query) {
    const { rows, columns, found } = order(query.filter);
    const row = Math.min(query.row, rows.length);
    const column = Math.min(query.column, columns.length);
    const nRows = query.rows === 0 ? rows.length - row : Math.min(query.rows, rows.length - row);
    const nColumns = query.columns === 0 ? columns.length - column : Math.min(query.columns, columns.length - column);
    const down = bands(row, nRows, query.cells_down);
    const across = bands(column, nColumns, query.cells_across);
    const rowOf = new Map(rows.flatMap((one, n) => one.apps.map((a) => /** @type {const} */ ([a, n]))));
    const columnOf = new Map(columns.map((m, n) => [m, n]));
    /** @param {{ first: number, count: number }[]} of @param {number} at */
    const inside = (of, at) => of.findIndex((band) => at >= band.first && at < band.first + band.count);
    /** @type {Map<number, import("../../../ui/contract.js").MapCell>} */
    const cells = new Map();
    const sumDown = down.map(() => 0);
    const sumAcross = across.map(() => 0);
    const yOf = new Map(rows.map((_, n) => [n, inside(down, n)]));
    const xOf = new Map(columns.map((_, n) => [n, inside(across, n)]));
    for (const grant of found) {
      const y = yOf.get(rowOf.get(grant.app) ?? -1) ?? -1;
      const x = xOf.get(columnOf.get(grant.member) ?? -1) ?? -1;
      if (x < 0 || y < 0) continue;
      const cell = cells.get(y * 65_536 + x) ?? { y, x, grants: 0, room: (down[y]?.count ?? 1) * (across[x]?.count ?? 1), level: 0, fresh: 0 };
      cell.grants += 1;
      cell.level = Math.max(cell.level, grant.width.level);
      if (grant.change === "new" || grant.change === "widened") cell.fresh += 1;
      cells.set(y * 65_536 + x, cell);
      sumDown[y] = (sumDown[y] ?? 0) + 1;
      sumAcross[x] = (sumAcross[x] ?? 0) + 1;
    }
    return {
      total_rows: rows.length, total_columns: columns.length, row, rows: nRows, column, columns: nColumns,
      down: down.map((band, n) => {
        const one = band.count === 1 ? rows[band.first] : undefined;
        const app = one ? apps[one.apps[0] ?? 0] : undefined;
        return { ...band, grants: sumDown[n] ?? 0, app: app?.face ?? null, group: app?.group ?? null, clients: one ? one.apps.length : 0, odd: rows.slice(band.first, band.first + band.count).some((each) => each.apps.some((a) => (apps[a]?.odd.length ?? 0) > 0)), member: null };
      }),
      across: across.map((band, n) => ({ ...band, grants: sumAcross[n] ?? 0, app: null, group: null, clients: 0, odd: false, member: band.count === 1 ? (members[columns[band.first] ?? 0]?.face ?? null) : null })),
      cells: [...cells.values()],
      read_at: facts.read_at,
    };
  }

  /** @param {import("../../../ui/contract.js").Selection} selection */
  function selected(selection) {
    /** @type {Grant[]} */
    let found = [];
    let rows = 0;
    let lost = 0;
    const ids = new Set(selection.ids);
    /** @param {Grant} grant */
    const idOf = (grant) => {
      const app = apps[grant.app];
      if (selection.noun === "members") return members[grant.member]?.face.member_id ?? "";
      if (selection.noun === "grants") return `${members[grant.member]?.face.member_id}\n${app?.face.connected_app_id}`;
      return selection.fold && app?.group ? `group:${app.group}` : (app?.face.connected_app_id ?? "");
    };
    if (selection.all) {
      found = matches(selection.filter ?? {}).filter((grant) => !ids.has(idOf(grant)));
      rows = new Set(found.map(idOf)).size;
    } else {
      found = grants.filter((grant) => ids.has(idOf(grant)));
      rows = new Set(found.map(idOf)).size;
      lost = ids.size - rows;
    }
    return { rows, apps: new Set(found.map((grant) => grant.app)).size, members: new Set(found.map((grant) => grant.member)).size, grants: found.length, lost };
  }

  /** @param {(grant: Grant) => string[]} of */
  function facet(of) {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const grant of grants) for (const value of of(grant)) counts.set(value, (counts.get(value) ?? 0) + 1);
    return [...counts.entries()].map(([value, n]) => ({ value, grants: n })).sort((a, b) => b.grants - a.grants);
  }

  const snapshots = Array.from({ length: how.snapshots ?? 9 }, (_, n) => ({ snapshot: n + 1, began_at: f.at(-(9 - n) * 2 * DAY - 4), read_at: f.at(-(9 - n) * 2 * DAY), read_by: n % 3 === 2 ? null : "nora@acme.test", apps: apps.length, apps_read: n === 4 ? apps.length - 2 : apps.length, grants: Math.max(0, grants.length - (8 - n) * 7), complete: n !== 4 }));

  /** What differs between two snapshots. @param {import("../../../ui/contract.js").Commands["snapshot_changes"]["args"]} args */
  function differences({ from, to, query, kinds }) {
    const changed = grants.filter((grant) => grant.change !== null).map(line);
    const gone = grants.slice(0, 2).map((grant) => ({ ...line(grant), change: /** @type {const} */ ("gone") }));
    const all = from === to ? [] : [...changed, ...gone];
    const words = wordsOf(query.filter);
    const fits = all.filter((row) => (kinds.length === 0 || (row.change && kinds.includes(row.change))) && words.every((word) => `${row.app.name} ${row.member.name} ${row.scopes.join(" ")}`.toLowerCase().includes(word)));
    const counts = { new: 0, widened: 0, narrowed: 0, altered: 0, gone: 0 };
    for (const row of all) if (row.change) counts[row.change] += 1;
    /** @param {number} n */
    const mark = (n) => ({ snapshot: n, read_at: snapshots[n - 1]?.read_at ?? f.at(0) });
    return { from: mark(from), to: mark(to), counts, rows: fits.slice(query.offset, query.offset + query.count), matching: fits.length, total: all.length, not_compared: from === 5 || to === 5 ? apps.slice(3, 5).map((one) => one.face) : [] };
  }

  /** @type {Answers} */
  const answers = {
    inventory_status: () => ({ picture: facts, reading: null, snapshots: snapshots.length }),
    inventory_read: () => ({ picture: { ...facts, source: "read", read_at: f.at(0) }, reading: null, snapshots: snapshots.length }),
    inventory_cancel: () => null,
    inventory_looked: () => ({ picture: { ...facts, changes: { new: 0, widened: 0, narrowed: 0, altered: 0, gone: 0 }, since: { snapshot: 9, read_at: facts.read_at } }, reading: null, snapshots: snapshots.length }),
    inventory_apps: ({ query }) => appRows(query),
    inventory_members: ({ query }) => memberRows(query),
    inventory_grants: ({ query }) => grantRows(query),
    inventory_facets: () => ({ client_types: facet((grant) => [apps[grant.app]?.face.client_type ?? ""]), roles: facet((grant) => members[grant.member]?.roles ?? []), statuses: facet((grant) => [members[grant.member]?.status ?? "unknown"]), scopes: facet((grant) => grant.scopes).slice(0, 500), levels: facet((grant) => [String(grant.width.level)]) }),
    inventory_selection: ({ selection }) => selected(selection),
    inventory_find: ({ text, count }) => {
      const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
      const a = apps.flatMap((one, n) => (wanted.every((word) => apps_text[n]?.includes(word)) ? [{ kind: /** @type {const} */ ("app"), app: one.face, grants: grants.filter((grant) => grant.app === n).length }] : []));
      const m = members.flatMap((one, n) => (wanted.every((word) => members_text[n]?.includes(word)) ? [{ kind: /** @type {const} */ ("member"), member: one.face, grants: grants.filter((grant) => grant.member === n).length }] : []));
      // The shell says what can only be a client id; here one form of it does.
      if (a.length + m.length === 0 && /^connected-app-./.test(text)) return [{ kind: /** @type {const} */ ("client_id"), connected_app_id: text }];
      return [...a.slice(0, 6), ...m].slice(0, count);
    },
    inventory_map: ({ query }) => map(query),
    inventory_copy: ({ what }) => ({ text: "connected_app_id,app_name\r\n", rows: what.selection ? selected(what.selection).rows : 42, left_out: 0 }),
    inventory_export: ({ what }) => ({ path: `/Users/nora/Downloads/cutoff-acme-robotics-2026-11-23.${what.format}`, rows: what.selection ? selected(what.selection).rows : grants.length, bytes: 48_213, complete: facts.complete }),
    snapshot_list: () => snapshots,
    snapshot_changes: differences,
    snapshot_changes_export: (args) => { const page = differences(args); return { path: `/Users/nora/Downloads/cutoff-acme-robotics-changes-${args.from}-to-${args.to}.${args.format}`, rows: page.matching, bytes: 4_213, complete: page.not_compared.length === 0 }; },
    width_rules: () => ({ rules: RULES, standard: true }),
    width_rules_set: ({ rules }) => rules ?? { rules: RULES, standard: true },
  };
  return { answers, facts, made };
}

/**
 * @template T
 * @param {T[]} all
 * @param {(one: T) => number} key
 * @returns {Map<number, T[]>}
 */
function grouped(all, key) {
  /** @type {Map<number, T[]>} */
  const out = new Map();
  for (const one of all) {
    const had = out.get(key(one));
    if (had) had.push(one);
    else out.set(key(one), [one]);
  }
  return out;
}

/** @param {number | string} a @param {number | string} b */
const ordered = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
