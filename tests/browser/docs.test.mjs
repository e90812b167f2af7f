// The reference at /docs, as a person uses it: with a key, a customer is created and found again.
// Needs Chromium and a built program: cargo build && npm ci && npm test.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import test from "node:test";
import { chromium } from "playwright-core";

const PROGRAM =
  process.env.CLIENTELE ?? new URL("../../target/debug/clientele", import.meta.url).pathname;
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

// A service with a private database; stopped and removed at the end.
async function serve(t) {
  const directory = await mkdtemp("/tmp/cl-browser-");
  await chmod(directory, 0o755); // PostgreSQL may run as another user.
  const { DATABASE_URL, ...environment } = process.env;
  const service = spawn(PROGRAM, ["serve"], {
    cwd: "/tmp",
    env: { ...environment, CLIENTELE_DATA_DIR: directory, CLIENTELE_BIND: "127.0.0.1:0", CLIENTELE_METRICS_BIND: "off" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  t.after(async () => {
    service.kill("SIGTERM");
    if (service.exitCode === null) await once(service, "exit");
    await rm(directory, { recursive: true, force: true });
  });
  for await (const line of createInterface({ input: service.stdout })) {
    const [, base, key] = line.match(/curl (http:\/\/[^/]+)\S* .*x-api-key: ([^']+)'/) ?? [];
    if (base) return { base, key };
  }
  throw new Error("the service printed no line to paste");
}

async function open(t, base) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  t.after(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await page.goto(`${base}/`);
  assert.equal(new URL(page.url()).pathname, "/docs");
  return { page, complaints };
}

// Executes a call, with a body if there is one; the answer is what the page shows of the reply.
async function execute(page, id, body) {
  const call = page.locator(`[id$="-${id}"]`);
  await call.locator(".opblock-summary").click();
  if (body) await call.locator("textarea.body-param__text").fill(JSON.stringify(body));
  await call.locator("button.execute").click();
  const reply = call.locator(".live-responses-table");
  await reply.waitFor();
  return { status: await reply.locator(".response-col_status").last().innerText(), text: await reply.innerText(), call };
}

test("a customer is created and found with the reference alone", { timeout: 120_000 }, async (t) => {
  const { base, key } = await serve(t);
  const { page, complaints } = await open(t, base);
  await page.locator("button.authorize").first().click();
  await page.locator(".auth-container input").fill(key);
  await page.locator(".auth-btn-wrapper button[type=submit]").click();
  await page.locator(".auth-btn-wrapper .btn-done").click();

  const created = await execute(page, "upsertCustomer", {
    first_name: "Grace",
    last_name: "Hopper",
    email: "grace@example.com",
  });
  assert.match(created.status, /^201/);
  await created.call.locator(".opblock-summary").click();
  const listed = await execute(page, "listCustomers");
  assert.match(listed.status, /^200/);
  assert.match(listed.text, /grace@example\.com/);
  await listed.call.locator(".live-responses-table").scrollIntoViewIfNeeded();
  await page.screenshot({ path: process.env.SCREENSHOT ?? "/tmp/clientele-docs.png" });
  assert.deepEqual(complaints, []);
});
