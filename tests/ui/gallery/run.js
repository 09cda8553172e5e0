// Opens every scene in a real browser, in light and dark and in three sizes, and holds the page to its promises: no policy
// violation, no script of a stranger's name, nothing wider than the window, no serious finding of axe. Leaves pictures.

import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { keyboard } from "./keyboard.js";
import { scenes } from "./scenes.js";
import { serve } from "./serve.js";

const root = resolve(fileURLToPath(new URL(".", import.meta.url)), "../../..");
const { values: options } = parseArgs({
  options: {
    out: { type: "string", default: join(root, "target/gallery") },
    only: { type: "string" },
    "no-pictures": { type: "boolean", default: false },
    browser: { type: "string", default: process.env.CHROMIUM ?? "/usr/bin/chromium" },
  },
});
const SIZES = [{ width: 1280, height: 800 }, { width: 900, height: 600 }, { width: 720, height: 520 }];
const THEMES = /** @type {const} */ (["light", "dark"]);
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** @type {string[]} */
const faults = [];
let pictures = 0;
const wanted = Object.keys(scenes).filter((name) => !options.only || name.includes(options.only));
const { url, stop } = await serve();
/** Lookers at once: each has a browser of its own, since one browser draws and photographs its pages one after the other. */
const LOOKERS = 2;
const launch = () => chromium.launch({ executablePath: options.browser, args: ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"] });
if (!options["no-pictures"]) {
  if (!options.only) await rm(options.out, { recursive: true, force: true });
  await mkdir(options.out, { recursive: true });
}

/** @typedef {import("playwright-core").Browser} Browser */

/** @param {Browser} browser @param {string} name */
async function look(browser, name) {
  const context = await browser.newContext({ viewport: SIZES[0], colorScheme: "light", reducedMotion: "reduce", timezoneId: "UTC" });
  const page = await context.newPage();
  /** @param {string} what */
  const fault = (what) => faults.push(`${name}: ${what}`);
  page.on("pageerror", (error) => fault(`threw ${error.message}`));
  page.on("console", (message) => { if (message.type() === "error") fault(`console: ${message.text()}`); });
  page.on("dialog", (dialog) => { fault("a script dialog opened"); dialog.dismiss(); });
  await page.addInitScript(() => {
    /** @type {any} */ (window).violations = [];
    document.addEventListener("securitypolicyviolation", (event) => /** @type {any} */ (window).violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
  });
  try {
    await page.goto(`${url}/?scene=${name}`);
    const state = await page.waitForFunction(() => document.documentElement.dataset.scene, null, { timeout: 15_000 });
    const said = await state.jsonValue();
    if (said !== "ready") fault(String(said));
    await page.waitForTimeout(80);
    for (const size of SIZES) {
      await page.setViewportSize(size);
      await page.waitForTimeout(60);
      const wide = await page.evaluate(() => {
        const over = [];
        const shown = [...document.querySelectorAll("body, body *")].filter((node) => node.checkVisibility?.({ visibilityProperty: true }));
        for (const node of shown) {
          const box = node.getBoundingClientRect();
          // What scrolls or is cut on purpose is measured by its own box, not by what lies inside.
          if (box.right <= window.innerWidth + 1 || node.closest(".unseen, svg")) continue;
          let clipped = false;
          for (let up = node.parentElement; up && up !== document.body && !clipped; up = up.parentElement) {
            clipped = getComputedStyle(up).overflowX !== "visible" && up.getBoundingClientRect().right <= window.innerWidth + 1;
          }
          if (!clipped) over.push(`${node.tagName}.${node.className} ends at ${Math.round(box.right)}`);
        }
        if (document.documentElement.scrollWidth > window.innerWidth) over.push("the page scrolls sideways");
        for (const scroller of document.querySelectorAll("dialog, .gate, .state, .rows")) {
          if (scroller.checkVisibility() && scroller.scrollWidth > scroller.clientWidth + 1) over.push(`${scroller.className || scroller.tagName} scrolls sideways`);
        }
        return over.slice(0, 3);
      });
      for (const one of wide) fault(`${size.width} px: ${one}`);
      for (const theme of THEMES) {
        await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
        if (!options["no-pictures"]) {
          await page.screenshot({ path: join(options.out, `${name}.${theme}.${size.width}.png`) });
          pictures += 1;
        }
        if (size.width !== 1280) continue;
        if (theme === "light") await page.evaluate(axe);
        const found = await page.evaluate(async (whole) => {
          // The other theme has other colours and nothing else that is other.
          const rules = whole ? { rules: { region: { enabled: false } } } : { runOnly: ["color-contrast"] };
          const result = await /** @type {any} */ (window).axe.run(document, { resultTypes: ["violations"], ...rules });
          return result.violations.filter((/** @type {any} */ one) => one.impact === "serious" || one.impact === "critical").map((/** @type {any} */ one) => `${one.id}: ${one.nodes.slice(0, 3).map((/** @type {any} */ node) => `${node.target.join(" ")} (${(node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? ""})`).join("; ")}`);
        }, theme === "light");
        for (const one of found) fault(`${theme}: axe ${one}`);
      }
    }
    const after = await page.evaluate(() => ({
      violations: /** @type {any} */ (window).violations,
      pwned: /** @type {any} */ (window).pwned === 1,
      foreign: document.querySelectorAll("img, iframe, object, embed, body script, body style, [style*='url'], bdi *:not(.hid)").length,
      text: document.body.innerText,
    }));
    for (const one of after.violations) fault(`policy: ${one}`);
    if (after.pwned) fault("a stranger's script ran");
    if (after.foreign > 0) fault(`${after.foreign} elements that the page does not make`);
    if (/no longer acts for/i.test(after.text)) fault("says what nobody can know");
    if (/undefined|\[object|NaN|\{\w+\}/.test(after.text.replaceAll("{{constructor", ""))) fault(`a sentence with a hole: ${/.{0,40}(undefined|\[object|NaN|\{\w+\}).{0,20}/.exec(after.text)?.[0]}`);
    // The characters that hide are nowhere left as themselves.
    // eslint-disable-next-line no-control-regex
    const hidden = /[\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f\u2060\ufeff\u0000\u001b]/.exec(after.text);
    if (hidden) fault(`a hidden character U+${hidden[0].charCodeAt(0).toString(16)} stands in the page as itself`);
    if (/revoked/i.test(after.text) && /^outcome-/.test(name) && !/^outcome-revoked/.test(name)) {
      const title = await page.evaluate(() => document.querySelector("dialog h2")?.textContent ?? "");
      if (/revoked/i.test(title)) fault(`calls it revoked: ${title}`);
    }
  } catch (thrown) {
    fault(String(thrown));
  }
  await context.close();
}

// What the page is written with, whatever the scenes reach: no sink for markup, no second door to the shell, no foreign address.
const BANNED = /\b(innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|setHTMLUnsafe|parseFromString|srcdoc|document\.write|eval\()|new Function|\.setAttribute\("style"|\son[a-z]+=|\sstyle="|@import|url\(/;
for (const file of await readdir(join(root, "ui"), { recursive: true })) {
  if (!/\.(js|html|css)$/.test(file)) continue;
  const text = await readFile(join(root, "ui", file), "utf8");
  const found = BANNED.exec(text);
  if (found) faults.push(`ui/${file}: ${found[0].trim()}`);
  if (file !== "bridge.js" && /__TAURI__\b(?!`)/.test(text)) faults.push(`ui/${file}: only bridge.js opens the door to the shell`);
}

let promises = 0;
/** @param {Browser} browser @param {string} promise */
async function keep(browser, promise) {
  const context = await browser.newContext({ viewport: SIZES[0], timezoneId: "UTC" });
  const page = await context.newPage();
  page.on("pageerror", (error) => faults.push(`${promise}: threw ${error.message}`));
  try {
    await keyboard[promise]?.(page, url);
    promises += 1;
  } catch (thrown) {
    faults.push(`${promise}: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
  await context.close();
}

const began = performance.now();
/** @type {Array<(browser: Browser) => Promise<void>>} */
const queue = [
  ...(!options.only || options.only === "keyboard" ? Object.keys(keyboard) : []).map((promise) => (/** @type {Browser} */ browser) => keep(browser, promise)),
  ...wanted.map((name) => (/** @type {Browser} */ browser) => look(browser, name)),
];
await Promise.all(Array.from({ length: LOOKERS }, async () => {
  const browser = await launch();
  for (let next = queue.shift(); next; next = queue.shift()) await next(browser);
  await browser.close();
}));
stop();

console.log(`${wanted.length} scenes, ${promises} promises kept, ${pictures} pictures${pictures > 0 ? ` in ${options.out}` : ""}; ${Math.round((performance.now() - began) / 1000)} s`);
if (faults.length > 0) {
  console.error(`${faults.length} faults:\n${faults.map((one) => `  ${one}`).join("\n")}`);
  process.exit(1);
}
