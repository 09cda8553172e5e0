// Serves the real page with the real content security policy, and puts the stand-in for the shell before its first script.
// `npm run serve` leaves it running for looking at scenes by hand.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = resolve(here, "../../..");
const ui = join(root, "ui");
const KINDS = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/** The policy as the shell sends it; there is no second copy that could drift. */
export async function policy() {
  const config = JSON.parse(await readFile(join(root, "src-tauri/tauri.conf.json"), "utf8"));
  const { csp } = config.app.security;
  return typeof csp === "string" ? csp : Object.entries(csp).map(([name, value]) => `${name} ${[value].flat().join(" ")}`).join("; ");
}

/** Starts it on a free port. */
export async function serve(port = 0) {
  const csp = await policy();
  const server = createServer(async (request, response) => {
    try {
      if (request.url === "/favicon.ico") { response.writeHead(204).end(); return; }
      const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname));
      const wanted = path.startsWith("/gallery/") ? join(here, path.slice("/gallery/".length)) : join(ui, path === "/" ? "index.html" : path);
      if (!wanted.startsWith(here) && !wanted.startsWith(ui)) throw new Error("outside");
      let body = await readFile(wanted);
      if (wanted === join(ui, "index.html")) {
        const page = body.toString().replace('<script type="module" src="main.js">', '<script type="module" src="/gallery/fake.js"></script>\n  <script type="module" src="main.js">');
        body = Buffer.from(page);
      }
      response.writeHead(200, { "content-type": `${/** @type {Record<string, string>} */ (KINDS)[extname(wanted)] ?? "application/octet-stream"}; charset=utf-8`, "content-security-policy": csp, "cache-control": "no-store" });
      response.end(body);
    } catch {
      response.writeHead(404);
      response.end();
    }
  });
  await new Promise((ready) => server.listen(port, "127.0.0.1", () => ready(undefined)));
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${address.port}`, stop: () => server.close() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await serve(Number(process.argv[2] ?? 0));
  const { scenes } = await import("./scenes.js");
  for (const name of Object.keys(scenes)) console.log(`${url}/?scene=${name}`);
}
