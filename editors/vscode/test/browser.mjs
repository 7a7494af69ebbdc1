// Tries the packaged extension in a real VS Code in a browser: squiggle, hover, quick fix. Not part of the everyday suite.
//
//   CODE_SERVER=…/code-server CHROMIUM=/usr/bin/chromium PYTHON=.venv/bin/python npm run try
//
// PYTHON has pitfall-lint[lsp]; playwright-core is found through NODE_PATH or beside this file. Screenshots go to SHOTS
// (default: editors/vscode/screenshots).

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../../..");
const { chromium } = createRequire(import.meta.url)(process.env.PLAYWRIGHT ?? "playwright-core");
const codeServer = process.env.CODE_SERVER ?? "code-server";
const python = resolve(process.env.PYTHON ?? join(root, ".venv/bin/python"));
const shots = process.env.SHOTS ?? join(here, "../screenshots");
const port = Number(process.env.PORT ?? 18741);
const seed = join(root, "tests/fixtures/seeds/thread_ui");

const work = mkdtempSync(join(tmpdir(), "pitfall-vscode-"));
const folder = join(work, "panel");
const places = ["--user-data-dir", join(work, "user"), "--extensions-dir", join(work, "extensions")];
const patience = Number(process.env.PATIENCE ?? 180_000);

mkdirSync(join(work, "user/User"), { recursive: true });
mkdirSync(shots, { recursive: true });
cpSync(seed, folder, { recursive: true });
cpSync(seed, join(work, "expected"), { recursive: true });
writeFileSync(
  join(work, "user/User/settings.json"),
  JSON.stringify({
    "security.workspace.trust.enabled": false,
    "pitfall-lint.path": [python, "-m", "pitfall_lint"],
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": false,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "chat.disableAIFeatures": true,
    "editor.minimap.enabled": false,
    "editor.fontSize": 15,
    "editor.hover.delay": 100,
    "telemetry.telemetryLevel": "off",
  }),
);

function run(command, args, options = {}) {
  const ran = spawnSync(command, args, { encoding: "utf-8", ...options });
  assert.equal(ran.error, undefined, String(ran.error));
  return ran;
}

let server;
let browser;
try {
  const installed = run(codeServer, [...places, "--install-extension", join(here, "../pitfall-lint.vsix")]);
  assert.equal(installed.status, 0, installed.stderr + installed.stdout);
  run(python, ["-m", "pitfall_lint", "-q", "--fix", "--unsafe-fixes", "app.py"], { cwd: join(work, "expected") });
  const expected = readFileSync(join(work, "expected/app.py"), "utf-8");
  assert.notEqual(expected, readFileSync(join(seed, "app.py"), "utf-8"));

  const args = ["--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry", "--disable-update-check"];
  server = spawn(codeServer, [...places, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((done, failed) => {
    server.stdout.on("data", (data) => String(data).includes("HTTP server listening") && done());
    server.on("exit", () => failed(new Error("code-server ended")));
  });

  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  const page = await browser.newPage({ viewport: { width: 1200, height: 720 } });
  page.setDefaultTimeout(patience);
  await page.goto(`http://127.0.0.1:${port}/?folder=${encodeURIComponent(folder)}`);
  await page.waitForSelector(".monaco-workbench .explorer-folders-view");
  await page.locator(".explorer-folders-view .label-name", { hasText: "app.py" }).dblclick();

  const squiggle = page.locator(".squiggly-error").first();
  await squiggle.waitFor({ state: "attached" });
  const box = await squiggle.boundingBox();
  assert.ok(box, "the squiggle is in sight");
  await page.screenshot({ path: join(shots, "squiggle.png") });

  await page.mouse.move(box.x + box.width / 3, box.y + box.height / 2, { steps: 8 });
  const hover = page.locator(".monaco-hover", { hasText: "PIT201" }).first();
  await hover.waitFor();
  await page.waitForTimeout(1500);
  const said = await hover.innerText();
  assert.match(said, /asynchronous context manager protocol/);
  await page.screenshot({ path: join(shots, "hover.png") });

  await page.keyboard.press("Escape");
  await page.mouse.click(box.x + box.width / 3, box.y + box.height / 2);
  await page.keyboard.press("Control+.");
  await page.locator(".action-widget", { hasText: "PIT201" }).waitFor();
  await page.screenshot({ path: join(shots, "quick-fix.png") });
  await page.keyboard.press("Enter");
  await squiggle.waitFor({ state: "detached" });
  await page.keyboard.press("Control+s");
  await page.waitForTimeout(2000);
  await page.screenshot({ path: join(shots, "mended.png") });
  assert.equal(readFileSync(join(folder, "app.py"), "utf-8"), expected);
  console.log("squiggle, hover and quick fix work in VS Code");
} finally {
  await browser?.close();
  server?.kill();
  rmSync(work, { recursive: true, force: true });
}
