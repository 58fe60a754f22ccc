// SPDX-License-Identifier: Apache-2.0
// Looks at reports in a headless Chromium, as people with a mouse, a keyboard, a small screen, a printer or a screen reader do. Says
// what is wrong, and ends with 1 where anything is. Arguments: the browser, the folder with axe-core and playwright-core, a folder for
// pictures (or `-`), and the pages, each with what must be on it: `page.html=text|text`.
import { createRequire } from "node:module";
import { basename } from "node:path";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [browserPath, tools, pictures, ...pages] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${tools}/`));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const faults = [];
const wide = { width: 1280, height: 900 };
const views = [
  { name: "light", viewport: wide, colorScheme: "light" },
  { name: "dark", viewport: wide, colorScheme: "dark" },
  { name: "narrow", viewport: { width: 360, height: 740 }, colorScheme: "light" },
  { name: "narrow-dark", viewport: { width: 360, height: 740 }, colorScheme: "dark" },
  { name: "print", viewport: { width: 800, height: 1100 }, media: "print" },
];

/** Opens a page. Its scripts are off, as they are for everybody who reads it: `bypassCSP` lets the test's own in. */
async function open(browser, file, view) {
  const context = await browser.newContext({ viewport: view.viewport, colorScheme: view.colorScheme, bypassCSP: view.bypass });
  const page = await context.newPage();
  const where = `${basename(file)}, ${view.name}`;
  page.on("console", (message) => faults.push(`${where}: the console says: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`${where}: an error: ${error}`));
  page.on("dialog", (dialog) => faults.push(`${where}: a script has run: ${dialog.message()}`));
  page.on("request", (request) => {
    if (request.url() !== pathToFileURL(file).href) faults.push(`${where}: it asks for ${request.url()}`);
  });
  if (view.media) await page.emulateMedia({ media: view.media });
  await page.goto(pathToFileURL(file).href);
  return { context, page, where };
}

async function look(browser, file, texts, view) {
  const { context, page, where } = await open(browser, file, view);
  const body = await page.content();
  for (const text of texts) {
    const found = await page.getByText(text).count();
    if (!found) faults.push(`${where}: nothing says \`${text}\``);
  }
  if (!body.includes("Content-Security-Policy")) faults.push(`${where}: no policy`);
  // A page that is wider than its screen has to be pushed about.
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (over > 1) faults.push(`${where}: ${over} pixels wider than the screen`);
  const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const [red] = ground.match(/\d+/g).map(Number);
  const isDark = red < 64;
  if (isDark !== view.name.endsWith("dark")) faults.push(`${where}: the ground is ${ground}`);
  if (view.media === "print") await onPaper(page, where);
  if (pictures !== "-") {
    await page.screenshot({ path: `${pictures}/${basename(file, ".html")}-${view.name}.png`, fullPage: true });
  }
  await context.close();
}

/** Nothing that only a screen can do is on paper, and nothing that failed is folded away. */
async function onPaper(page, where) {
  for (const gone of ["nav", "fieldset"]) {
    const all = page.locator(gone);
    for (let at = 0; at < (await all.count()); at++) {
      if (await all.nth(at).isVisible()) faults.push(`${where}: \`${gone}\` is on paper`);
    }
  }
  const commands = page.locator(".failed-step > .parts");
  for (let at = 0; at < (await commands.count()); at++) {
    const box = await commands.nth(at).boundingBox();
    if (!box || box.height < 5) faults.push(`${where}: what failed is folded on paper (${at})`);
  }
}

/** By keyboard alone: the first key leads past the top, every link and button is reached, what is folded unfolds. */
async function byKeyboard(browser, file) {
  const { context, page, where } = await open(browser, file, { name: "keyboard", viewport: wide });
  await page.keyboard.press("Tab");
  const first = await page.evaluate(() => document.activeElement.className);
  if (first !== "skip") faults.push(`${where}: the first key leads to \`${first}\``);
  await page.keyboard.press("Enter");
  if (!(await page.evaluate(() => location.hash === "#main"))) faults.push(`${where}: the way past the top leads nowhere`);
  const summary = page.locator("main summary").first();
  if (await summary.count()) {
    await summary.focus();
    const before = await summary.evaluate((one) => one.parentElement.open);
    await page.keyboard.press("Enter");
    const after = await summary.evaluate((one) => one.parentElement.open);
    if (before === after) faults.push(`${where}: Enter unfolds nothing`);
    const outline = await summary.evaluate((one) => getComputedStyle(one).outlineStyle);
    if (outline === "none") faults.push(`${where}: where the keyboard is cannot be seen`);
  }
  await choices(page, where);
  await context.close();
}

/** The choice of steps is made with the arrows, and shows what it says. */
async function choices(page, where) {
  const first = page.locator("#main-steps");
  if (!(await first.count())) return;
  await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
  const shown = () => page.locator(".steps tbody tr:visible").count();
  const all = await page.locator(".steps tbody tr").count();
  await first.focus();
  await page.keyboard.press("ArrowRight");
  if ((await shown()) !== all) faults.push(`${where}: \`all\` shows ${await shown()} of ${all} steps`);
  await page.keyboard.press("ArrowRight");
  const path = await page.locator(".steps tbody tr.path").count();
  if ((await shown()) !== path) faults.push(`${where}: the path has ${path} steps, and ${await shown()} are shown`);
  await page.keyboard.press("ArrowRight");
  const bad = await page.locator(".steps tbody tr.bad").count();
  if ((await shown()) !== bad) faults.push(`${where}: ${bad} steps did not succeed, and ${await shown()} are shown`);
}

/** What axe-core finds, with everything unfolded. */
async function accessible(browser, file, view) {
  const { context, page, where } = await open(browser, file, { ...view, bypass: true });
  // Of a thousand steps all are alike.
  await page.evaluate(() => {
    document.querySelectorAll("details").forEach((one) => (one.open = true));
    document.querySelectorAll("tbody").forEach((body) => [...body.rows].slice(60).forEach((row) => row.remove()));
  });
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  for (const one of found.violations) {
    const places = one.nodes.slice(0, 3).map((node) => node.target.join(" "));
    faults.push(`${where}: ${one.id} (${one.impact}): ${one.help}: ${places.join(", ")}; ${one.nodes[0].failureSummary}`);
  }
  if (!found.passes.length) faults.push(`${where}: axe has looked at nothing`);
  await context.close();
}

// Root has no sandbox of its own for a browser; the pages are ours.
const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
for (const one of pages) {
  const [file, said = ""] = one.split(/=(.*)/s);
  const texts = said.split("|").filter(Boolean);
  for (const view of views) await look(browser, file, texts, view);
  for (const view of [views[0], views[1], views[2]]) await accessible(browser, file, view);
  await byKeyboard(browser, file);
}
await browser.close();
for (const fault of faults) console.error(fault);
console.log(`${pages.length} pages, ${faults.length} faults`);
process.exit(faults.length ? 1 : 0);
