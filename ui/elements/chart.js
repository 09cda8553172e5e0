// The map as drawn: cells on a canvas, names beside it. It knows places and shades; what a cell means is told by whoever asks.

import { el, put } from "../lib/dom.js";
import { memberName, named } from "../lib/text.js";
import { words } from "../words/en.js";

/** @typedef {import("../contract.js").MapPicture} MapPicture */
/** @typedef {import("../contract.js").MapBand} MapBand */
/** @typedef {import("../contract.js").MapCell} MapCell */
/** What is in sight, in rows and columns of the whole map. @typedef {{ x0: number, x1: number, y0: number, y1: number }} View */

/** Cells are at least so wide and high in a picture of everything, in CSS pixels. */
const FINE = { x: 6, y: 4 };
/** And at most so in a picture of everything, however few there are. */
const COARSE = { x: 34, y: 34 };
/** A name beside the map needs so many pixels of height; lines that are lower get smaller names as long as they can be read. */
const LINE = { usual: 15, small: 11.5 };

/** @param {number} low @param {number} value @param {number} high */
const within = (low, value, high) => Math.max(low, Math.min(high, value));

/**
 * How much of a cell is filled, in few steps: few of many fill less of it, never so little that it cannot be seen. The shade
 * stays one of the legend's, since a paler one would be a shade that nothing explains.
 * @param {MapCell} cell
 */
function share(cell) {
  const full = cell.room > 0 ? Math.min(1, cell.grants / cell.room) : 1;
  return 0.35 + 0.65 * (Math.round(Math.sqrt(full) * 10) / 10);
}

export class Chart {
  /**
   * @param {{ canvas: HTMLCanvasElement, left: HTMLElement, top: HTMLElement, field: HTMLElement, probes: HTMLElement, onSize: () => void }} parts
   */
  constructor(parts) {
    this.parts = parts;
    /** @type {MapPicture | null} */
    this.picture = null;
    /** @type {View} */
    this.view = { x0: 0, x1: 1, y0: 0, y1: 1 };
    /** The row and column where the keyboard stands. @type {{ row: number, column: number } | null} */
    this.cursor = null;
    /** Cells by place, of the picture that is there. @type {Map<number, MapCell>} */
    this.cells = new Map();
    this.wide = 0;
    this.high = 0;
    this.frame = 0;
    this.colours = this.read();
    new ResizeObserver(() => {
      if (!this.measure()) return;
      parts.onSize();
      this.look();
    }).observe(parts.field);
    const again = () => {
      this.colours = this.read();
      this.look();
    };
    for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)", "(forced-colors: active)"]) matchMedia(query).addEventListener("change", again);
    matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`).addEventListener("change", again);
  }

  /** The colours as they are now: a canvas knows no variables, so each is asked of an element that has it. */
  read() {
    /** @param {string} name */
    const of = (name) => {
      const probe = this.parts.probes.querySelector(`.${name}`);
      return probe ? getComputedStyle(probe).backgroundColor : "gray";
    };
    return { paper: of("paper"), panel: of("panel"), line: of("line"), soft: of("line-soft"), ink: of("ink"), accent: of("accent"), warn: of("warn-tint"), levels: [of("line"), of("w1"), of("w2"), of("w3")], fresh: of("fresh"), freshEdge: of("paper") };
  }

  measure() {
    const { clientWidth: wide, clientHeight: high } = this.parts.field;
    if (wide === this.wide && high === this.high) return false;
    this.wide = wide;
    this.high = high;
    return true;
  }

  /** How many cells the field has room for. */
  room() {
    return { down: Math.max(1, Math.floor(this.high / FINE.y)), across: Math.max(1, Math.floor(this.wide / FINE.x)) };
  }

  /** @param {MapPicture} picture */
  take(picture) {
    this.picture = picture;
    this.colours = this.read();
    // Equal ones in a row: changing the colour costs more than the cell.
    picture.cells.sort((a, b) => a.level - b.level);
    this.cells = new Map(picture.cells.map((cell) => [cell.y * 65_536 + cell.x, cell]));
    this.look();
  }

  /** Everything, in sight at once. */
  whole() {
    const { picture } = this;
    return { x0: 0, x1: Math.max(1, picture?.total_columns ?? 1), y0: 0, y1: Math.max(1, picture?.total_rows ?? 1) };
  }

  /** Few cells of a small organization stay small, and grow as much as somebody comes nearer to them. */
  get scaleX() {
    const w = Math.max(0.001, this.view.x1 - this.view.x0);
    return Math.min(COARSE.x * (this.whole().x1 / w), this.wide / w);
  }

  get scaleY() {
    const h = Math.max(0.001, this.view.y1 - this.view.y0);
    return Math.min(COARSE.y * (this.whole().y1 / h), this.high / h);
  }

  /** The smallest part that is shown by itself: one cell. */
  least() {
    return { w: 1, h: 1 };
  }

  /**
   * The view kept inside of what there is, and no smaller than one cell.
   * @param {View} view
   * @returns {View}
   */
  kept(view) {
    const all = this.whole();
    const least = this.least();
    const w = within(least.w, view.x1 - view.x0, all.x1);
    const h = within(least.h, view.y1 - view.y0, all.y1);
    const x0 = within(0, view.x0, all.x1 - w);
    const y0 = within(0, view.y0, all.y1 - h);
    return { x0, x1: x0 + w, y0, y1: y0 + h };
  }

  /**
   * Nearer or further, with one place held still.
   * @param {number} factor below 1 is nearer
   * @param {number} row
   * @param {number} column
   */
  zoomed(factor, row, column) {
    const { x0, x1, y0, y1 } = this.view;
    const all = this.whole();
    const least = this.least();
    // Each direction ends at one cell by itself; the other goes on.
    const w = within(least.w, (x1 - x0) * factor, all.x1);
    const h = within(least.h, (y1 - y0) * factor, all.y1);
    const fx = (column - x0) / Math.max(0.001, x1 - x0);
    const fy = (row - y0) / Math.max(0.001, y1 - y0);
    // A single row or column is shown whole, never two halves.
    const left = w <= 1 ? Math.floor(column) : column - fx * w;
    const top = h <= 1 ? Math.floor(row) : row - fy * h;
    return this.kept({ x0: left, x1: left + w, y0: top, y1: top + h });
  }

  /** The place under a point of the canvas. @param {number} px @param {number} py */
  at(px, py) {
    return { column: this.view.x0 + px / this.scaleX, row: this.view.y0 + py / this.scaleY };
  }

  /**
   * The bands and the cell at a place.
   * @param {number} row
   * @param {number} column
   */
  find(row, column) {
    const { picture } = this;
    if (!picture) return null;
    const y = picture.down.findIndex((band) => row >= band.first && row < band.first + band.count);
    const x = picture.across.findIndex((band) => column >= band.first && column < band.first + band.count);
    const down = picture.down[y];
    const across = picture.across[x];
    if (!down || !across) return null;
    return { y, x, down, across, cell: this.cells.get(y * 65_536 + x) ?? null };
  }

  /** Draws in the next frame. */
  look() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    const { canvas } = this.parts;
    const ratio = window.devicePixelRatio || 1;
    const { wide, high, picture, view, colours, scaleX, scaleY } = this;
    if (wide === 0 || high === 0) return;
    if (canvas.width !== Math.round(wide * ratio) || canvas.height !== Math.round(high * ratio)) {
      canvas.width = Math.round(wide * ratio);
      canvas.height = Math.round(high * ratio);
      canvas.style.width = `${wide}px`;
      canvas.style.height = `${high}px`;
    }
    const c = canvas.getContext("2d");
    if (!c) return;
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, wide, high);
    if (!picture) return;
    const right = Math.min(wide, (view.x1 - view.x0) * scaleX);
    const bottom = Math.min(high, (view.y1 - view.y0) * scaleY);
    c.save();
    c.beginPath();
    c.rect(0, 0, right, bottom);
    c.clip();
    c.fillStyle = colours.paper;
    c.fillRect(0, 0, right, bottom);
    /** To whole pixels of the screen, so that equal cells look equal. @param {number} value */
    const snap = (value) => Math.round(value * ratio) / ratio;
    /** @param {MapBand} band */
    const top = (band) => snap((band.first - view.y0) * scaleY);
    /** @param {MapBand} band */
    const foot = (band) => snap((band.first + band.count - view.y0) * scaleY);
    /** @param {MapBand} band */
    const left = (band) => snap((band.first - view.x0) * scaleX);
    /** @param {MapBand} band */
    const end = (band) => snap((band.first + band.count - view.x0) * scaleX);
    for (const band of picture.down) {
      const y = top(band);
      const h = foot(band) - y;
      if (y + h < 0 || y > high) continue;
      if (band.odd) {
        c.fillStyle = colours.warn;
        c.fillRect(0, y, right, h);
      }
      if (h >= 9) {
        c.fillStyle = colours.soft;
        c.fillRect(0, y + h - 1 / ratio, right, 1 / ratio);
      }
    }
    const loose = picture.across[0] ? end(picture.across[0]) - left(picture.across[0]) >= 9 : false;
    if (loose) {
      c.fillStyle = colours.soft;
      for (const band of picture.across) c.fillRect(end(band) - 1 / ratio, 0, 1 / ratio, bottom);
    }
    let painted = -1;
    /** Marks of what is new, drawn over all cells so that no neighbour covers one. @type {[number, number, number][]} */
    const marks = [];
    for (const cell of picture.cells) {
      const down = picture.down[cell.y];
      const across = picture.across[cell.x];
      if (!down || !across) continue;
      const y = top(down);
      const x = left(across);
      let h = foot(down) - y;
      let w = end(across) - x;
      if (y + h < 0 || y > high || x + w < 0 || x > wide) continue;
      const gap = w >= 5 && h >= 5 ? 1 : 0;
      w = Math.max(1 / ratio, w - gap);
      h = Math.max(1 / ratio, h - gap);
      const level = within(0, cell.level, 3);
      if (level !== painted) {
        c.fillStyle = colours.levels[level] ?? colours.line;
        painted = level;
      }
      const fill = down.count * across.count > 1 ? Math.max(1 / ratio, snap(h * share(cell))) : h;
      if (w >= 10 && fill >= 10) {
        c.beginPath();
        c.roundRect(x, y + h - fill, w, fill, 2);
        c.fill();
      } else c.fillRect(x, y + h - fill, w, fill);
      // Of a crowd one new grant is a small part, and the mark must not hide the crowd.
      if (cell.fresh > 0) marks.push([x + w / 2, y + h / 2, within(down.count * across.count > 1 ? 1.7 : 2.6, Math.min(w, h) * 0.3, 7)]);
    }
    for (const [x, y, r] of marks) {
      c.beginPath();
      c.arc(x, y, r, 0, 2 * Math.PI);
      c.lineWidth = Math.min(2.4, r);
      c.strokeStyle = colours.freshEdge;
      c.stroke();
      c.fillStyle = colours.fresh;
      c.fill();
    }
    c.restore();
    if (this.cursor) {
      const found = this.find(this.cursor.row, this.cursor.column);
      if (found) {
        const x = left(found.across);
        const y = top(found.down);
        const w = Math.max(5, end(found.across) - x);
        const h = Math.max(5, foot(found.down) - y);
        c.lineWidth = 2;
        c.strokeStyle = colours.paper;
        c.strokeRect(x - 2, y - 2, w + 3, h + 3);
        c.strokeStyle = colours.ink;
        c.strokeRect(x - 1, y - 1, w + 1, h + 1);
      }
    }
    this.names();
  }

  /** Names at the left where lines are high enough, and above where columns are wide enough. */
  names() {
    const { picture, view, scaleX, scaleY } = this;
    if (!picture) return;
    /** @type {HTMLElement[]} */
    const lines = [];
    let free = -Infinity;
    const lowest = picture.down.reduce((least, band) => Math.min(least, band.count * scaleY), Infinity);
    // Where a smaller name lets each line have its own, that is better than a usual one for every second.
    const small = lowest < LINE.usual && lowest >= LINE.small;
    const line = small ? LINE.small : LINE.usual;
    this.parts.left.classList.toggle("small", small);
    for (const band of picture.down) {
      const y = (band.first - view.y0) * scaleY;
      const h = band.count * scaleY;
      // A name may need more room than its line has: then the next ones wait until there is room again.
      if (y + h < 0) continue;
      // Of a line that is cut by an edge the name stands in the part that is in sight.
      const middle = (Math.max(0, y) + Math.min(this.high, y + h)) / 2;
      if (middle < 5 || middle > this.high - 5 || middle < free) continue;
      const made = el("div", { class: `line${band.odd ? " odd" : ""}` }, ...bandName(band));
      made.style.top = `${middle}px`;
      lines.push(made);
      free = middle + line - 0.01;
    }
    put(this.parts.left, ...lines);
    /** @type {HTMLElement[]} */
    const columns = [];
    const one = scaleX >= 13;
    this.parts.top.parentElement?.classList.toggle("named", one);
    if (one) {
      for (const band of picture.across) {
        if (!band.member) continue;
        const x = (Math.max(0, (band.first - view.x0) * scaleX) + Math.min(this.wide, (band.first + 1 - view.x0) * scaleX)) / 2;
        if (x < 7 || x > this.wide - 7) continue;
        const made = el("div", { class: "column" }, named(memberName(band.member), { limit: 40, title: false }));
        made.style.left = `${x}px`;
        columns.push(made);
      }
    }
    put(this.parts.top, ...columns);
  }
}

/** @param {MapBand} band @returns {Node[]} */
function bandName(band) {
  if (!band.app) return [el("span", { class: "soft" }, words.map.rows(band.count))];
  return [named(band.app.name, { limit: 60 }), ...(band.clients > 1 ? [el("small", {}, ` ×${words.number(band.clients)}`)] : [])];
}
