// Opens every page at two widths, light and dark: nothing overflows, no request leaves, the console is
// silent; and tries what a reader does: hover, click, keyboard, and no script at all.
import { createRequire } from "node:module";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const tools = process.argv[2];
const pages = join(tools, "pages"), shots = join(tools, "shots");
const require = createRequire(join(tools, "package.json"));
const { chromium } = require("playwright-core");
mkdirSync(shots, { recursive: true });

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

let failures = 0;
const expect = (what, holds, found = "") => {
  if (holds) return;
  failures += 1;
  console.error(`    ${what}: FAILED ${found}`);
};

/** Opens a page in a context of its own; what it says and asks for is noted. */
const open = async (name, options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const said = [], asked = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("request", (request) => {
    if (!/^(file|blob|data):/.test(request.url())) asked.push(request.url());
  });
  await page.goto(pathToFileURL(join(pages, name)).href);
  return { page, context, said, asked };
};

const names = readdirSync(pages).filter((name) => /\.(html|svg)$/.test(name));
for (const name of names) {
  for (const [width, colorScheme] of [[1280, "light"], [1280, "dark"], [375, "light"], [375, "dark"]]) {
    const where = `${name} at ${width}, ${colorScheme}`;
    const { page, context, said, asked } = await open(name, { viewport: { width, height: 900 }, colorScheme });
    await page.waitForLoadState("load");
    if (name.endsWith(".html")) {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(`${where}: nothing overflows`, wide <= width, `${wide} wide`);
      const tall = await page.evaluate(() => [...document.querySelectorAll("h1, h2, p, .tiles li")].filter((of) => of.scrollWidth > of.clientWidth + 1).map((of) => of.textContent.slice(0, 60)));
      expect(`${where}: texts fit`, tall.length === 0, tall.join(" | "));
    }
    const paper = await page.evaluate(() => getComputedStyle(document.querySelector("body") ?? document.documentElement).backgroundColor);
    const [red] = paper.match(/\d+/g).map(Number);
    expect(`${where}: colours`, name.endsWith(".svg") || (colorScheme === "dark" ? red < 60 : red > 200), paper);
    await page.screenshot({ path: join(shots, `${name}-${width}-${colorScheme}.png`) });
    expect(`${where}: the console is silent`, said.length === 0, said.join(" | "));
    expect(`${where}: no request leaves`, asked.length === 0, asked.join(" | "));
    await context.close();
  }
  console.log(`    ${name}: ok`);
}

// Hover tells a message's story.
{
  const { page, context, said } = await open("run.html");
  const arrow = page.locator(".diagram g").first();
  const box = await arrow.locator("path").first().boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const tip = page.locator(".tip");
  expect("hover: a story", await tip.isVisible() && /customer 1 to branch 1/.test(await tip.textContent()), await tip.textContent());
  // A click on a verdict goes to its cone.
  await page.click(".tiles a[href='#writes-follow-reads']");
  await page.waitForTimeout(100);
  const top = await page.locator("#writes-follow-reads").evaluate((of) => of.getBoundingClientRect().top);
  expect("click: the cone is in sight", top >= -5 && top < 900, top);
  // Keyboard: the whole by its summary, larger and smaller by plus and minus.
  await page.locator("summary").focus();
  await page.keyboard.press("Enter");
  expect("keyboard: all is shown", await page.locator("details").evaluate((of) => of.open));
  const view = page.locator("details .view");
  await view.focus();
  const width = () => view.locator("svg").evaluate((of) => of.getBoundingClientRect().width);
  const before = await width();
  await page.keyboard.press("+");
  expect("keyboard: larger", (await width()) > before * 1.2);
  await page.keyboard.press("-");
  await page.keyboard.press("-");
  expect("keyboard: smaller", (await width()) < before);
  // A mouse moves what is larger than its place.
  for (let times = 0; times < 6; times++) await page.locator("details .tools button").nth(1).click();
  const place = await view.boundingBox();
  await view.evaluate((of) => of.scrollIntoView({ block: "center" }));
  const there = await view.boundingBox();
  await page.mouse.move(there.x + 300, there.y + 200);
  await page.mouse.down();
  await page.mouse.move(there.x + 100, there.y + 100, { steps: 4 });
  await page.mouse.up();
  expect("mouse: pan", await view.evaluate((of) => of.scrollLeft > 100), place && "");
  expect("hands on: the console is silent", said.length === 0, said.join(" | "));
  await context.close();
  console.log("    hover, click, keyboard, mouse: ok");
}

// Without script all can be read.
{
  const { page, context } = await open("run.html", { javaScriptEnabled: false });
  expect("no script: the sentence", /customer 2 read the balance 400/.test(await page.locator(".sentence").first().textContent()));
  expect("no script: a picture for each that is broken", (await page.locator(".violation svg.diagram").count()) === 2);
  await page.click("summary");
  expect("no script: the whole", await page.locator("details svg.diagram").isVisible());
  await context.close();
  console.log("    without script: ok");
}

// A run that is too large to be drawn at once.
for (const name of ["large.html", "million.html"].filter((name) => existsSync(join(pages, name)))) {
  const began = Date.now();
  const { page, context, said } = await open(name);
  const shown = Date.now();
  await page.locator(".overview").scrollIntoViewIfNeeded();
  await page.waitForSelector(".slice svg.diagram");
  const drawn = Date.now();
  const first = await page.locator(".slice svg.diagram").getAttribute("aria-label");
  const bar = page.locator(".bar").nth(60);
  await bar.focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction((before) => document.querySelector(".slice svg.diagram").getAttribute("aria-label") !== before, first);
  const chosen = Date.now();
  expect(`${name}: the bar is marked`, await bar.evaluate((of) => of.classList.contains("here")));
  await page.click(".slice button[aria-label='later']");
  await page.waitForTimeout(200);
  expect(`${name}: messages are drawn`, (await page.locator(".slice svg.diagram g").count()) > 50);
  await page.screenshot({ path: join(shots, `${name}-slice.png`) });
  expect(`${name}: the console is silent`, said.length === 0, said.join(" | "));
  const bytes = statSync(join(pages, name)).size;
  console.log(`    ${name}: ${bytes} bytes; shown after ${shown - began} ms, a part drawn after ${drawn - shown} ms more, another after ${chosen - drawn} ms`);
  expect(`${name}: at most 30 MB`, bytes <= 30e6, bytes);
  await context.close();
}

// Mermaid reads what is written for it.
{
  const { page, context } = await open("draw.html");
  await page.addScriptTag({ path: join(tools, "node_modules/mermaid/dist/mermaid.min.js") });
  const text = readFileSync(join(pages, "picture.mmd"), "utf8");
  const svg = await page.evaluate(async (text) => {
    window.mermaid.initialize({ startOnLoad: false });
    return (await window.mermaid.render("drawn", text)).svg;
  }, text).catch((error) => String(error));
  expect("mermaid: it is drawn", /<svg/.test(svg) && /withdraw 400/.test(svg) && /reads 0/.test(svg), svg.slice(0, 300));
  await context.close();
  console.log("    mermaid: ok");
}

await browser.close();
if (failures > 0) {
  console.error(`tests/browser: ${failures} failed`);
  process.exit(1);
}
