// The console, as people use it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import { start } from "./service.mjs";

let service;
before(async () => { service = await start(); });
after(async () => { await service?.stop(); });

// Does `work` on a fresh page; whatever the browser complains of fails the test.
async function on_page(work, { expected = [], ...options } = {}) {
  const context = await service.browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints = [];
  page.on("console", (message) => { if (message.type() === "error") complaints.push(message.text()); });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => dialog.accept());
  await page.goto(`${service.address}/console`);
  try {
    await work(page);
  } finally {
    await context.close();
  }
  assert.deepEqual(complaints.filter((text) => !expected.some((known) => text.includes(known))), []);
}

async function connect(page, key = service.key) {
  await page.getByLabel("API key").fill(key);
  await page.keyboard.press("Enter");
  await page.locator("#total:not(:empty)").waitFor();
}

async function post(body) {
  const reply = await fetch(`${service.address}/customers`, {
    method: "POST",
    headers: { "x-api-key": service.key, "rotor-api-version": "1.1.0", "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.ok(reply.ok, await reply.clone().text());
  return reply.json();
}

const get = async (id) => {
  const headers = { "x-api-key": service.key, "rotor-api-version": "1.1.0" };
  return (await (await fetch(`${service.address}/customers/${id}/export`, { headers })).json()).data;
};
// A key of the demo company with these scopes.
function key_with(scopes) {
  const env = { ...process.env, CLIENTELE_DATA_DIR: join(service.folder, "data"), RUST_LOG: "warn" };
  delete env.DATABASE_URL;
  const run = (...given) => execFileSync(service.program, given, { env, encoding: "utf8" });
  const company = run("company", "list").match(/[0-9a-f]{8}-[0-9a-f-]{27}/)[0];
  return run("key", "create", "--company", company, "--scopes", scopes).trim();
}

const rows = (page) => page.locator("#list li");
const seen = (page, text) => page.getByText(text, { exact: true }).waitFor();

test("a wrong key is refused in words, and is not kept", async () => {
  await on_page(async (page) => {
    await page.getByLabel("API key").fill("clientele_wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("This key does not work").waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  }, { expected: ["401"] });
});

test("a key is kept in the tab alone, until it is forgotten", async () => {
  await on_page(async (page) => {
    await connect(page);
    await page.reload();
    await page.locator("#total:not(:empty)").waitFor();
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    await page.getByRole("button", { name: "Forget key" }).click();
    await page.getByLabel("API key").waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  });
});

test("a customer is created, found while typing, edited, tagged, archived and restored", async () => {
  await on_page(async (page) => {
    await connect(page);
    await page.getByRole("button", { name: "New customer" }).click();
    await page.getByLabel("First name").fill("Zenobia");
    await page.getByLabel("E-mail").last().fill("zenobia@example.com");
    await page.getByLabel("Notes").fill("Two lines,\nof notes");
    await page.getByRole("button", { name: "Save" }).click();
    await seen(page, "Created.");
    await page.getByRole("button", { name: "Close" }).click();
    await page.locator("#search").pressSequentially("zenob");
    await seen(page, "1 customer");
    await rows(page).first().click();
    await page.getByRole("heading", { name: "Zenobia" }).waitFor();

    const posted = page.waitForRequest((request) => request.method() === "POST");
    await page.getByLabel("Last name").fill("Palmyra");
    await page.getByLabel("Notes").fill("");
    await page.getByRole("button", { name: "Save" }).click();
    const { id, ...sent } = (await posted).postDataJSON();
    assert.deepEqual(sent, { last_name: "Palmyra", notes: null });
    await seen(page, "Saved.");

    await page.getByLabel("New tag").fill("queen");
    await page.keyboard.press("Enter");
    await seen(page, "Tag added.");
    assert.deepEqual((await get(id)).tags, ["queen"]);
    await page.getByRole("button", { name: "Remove tag queen" }).click();
    await seen(page, "Tag removed.");

    await page.getByRole("button", { name: "Archive" }).click();
    await seen(page, "Archived.");
    await seen(page, "0 customers");
    await page.getByLabel("Include archived").check();
    await seen(page, "1 customer");
    await rows(page).getByText("archived", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Restore" }).click();
    await seen(page, "Restored.");
    await rows(page).getByText("archived", { exact: true }).waitFor({ state: "detached" });
    const kept = await get(id);
    assert.equal(kept.archived_at, null);
    assert.equal(kept.notes, null);
    assert.equal(kept.email, "zenobia@example.com");
  });
});

test("what cannot be saved is said at its field", async () => {
  await on_page(async (page) => {
    await connect(page);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "New customer" }).click();
    await page.locator("#field-email").fill("nonsense");
    await page.keyboard.press("Control+s");
    await page.locator("#field-email[aria-invalid=true]").waitFor();
    assert.notEqual(await page.locator("#why-email").textContent(), "");
  }, { expected: ["400"] });
});

test("lists are filtered by status and tags, and paged through", async () => {
  for (let n = 0; n < 60; n += 1) {
    await post({ first_name: `Paging${n}`, status: n % 2 ? "active" : "inactive", tags: [`paged-${n % 3}`] });
  }
  await on_page(async (page) => {
    await connect(page);
    await page.locator("#search").fill("paging");
    await seen(page, "60 customers");
    assert.equal(await rows(page).count(), 50);
    await page.getByRole("button", { name: "Next page" }).click();
    await seen(page, "Page 2 of 2");
    assert.equal(await rows(page).count(), 10);
    await page.locator("#status").selectOption("active");
    await seen(page, "30 customers");
    await page.locator("#tags").fill("paged-1");
    await seen(page, "10 customers");
  });
});

test("an older reply never stands over a newer one", async () => {
  await post({ first_name: "Slowpoke" });
  await post({ first_name: "Swiftie" });
  await on_page(async (page) => {
    await connect(page);
    let let_go;
    const held = new Promise((resolve) => { let_go = resolve; });
    await page.route(/search=slowpoke/, async (route) => {
      await held;
      await route.continue().catch(() => {});
    });
    const asked = page.waitForRequest(/search=slowpoke/);
    await page.locator("#search").fill("slowpoke");
    await asked;
    await page.locator("#search").fill("swiftie");
    await seen(page, "Swiftie");
    let_go();
    await page.locator("#search").fill("swiftie ");
    await seen(page, "1 customer");
    assert.equal(await page.getByText("Slowpoke").count(), 0);
  });
});

test("the keyboard is enough", async () => {
  const { id } = await post({ first_name: "Keyla", last_name: "Board" });
  await on_page(async (page) => {
    await page.keyboard.type(service.key);
    await page.keyboard.press("Enter");
    await page.locator("#total:not(:empty)").waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("/");
    await page.keyboard.type("keyla");
    await seen(page, "1 customer");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Keyla Board" }).waitFor();
    while (await page.evaluate(() => document.activeElement.id) !== "field-company_name") await page.keyboard.press("Tab");
    await page.keyboard.type("Keys Ltd");
    await page.keyboard.press("Control+s");
    await seen(page, "Saved.");
    await page.keyboard.press("Escape");
    await page.locator("#editor").waitFor({ state: "hidden" });
    assert.equal(await page.evaluate(() => document.activeElement.dataset.id), id);
    assert.equal((await get(id)).company_name, "Keys Ltd");
  });
});

test("what a customer is called is text, never markup", async () => {
  const name = "<img src=x onerror=alert(1)>";
  await post({ first_name: name, tags: [name], notes: name });
  await on_page(async (page) => {
    await connect(page);
    await page.locator("#search").fill("onerror");
    await seen(page, "1 customer");
    await rows(page).first().click();
    await page.getByRole("heading", { name }).waitFor();
    assert.equal(await page.locator("img").count(), 0);
  });
});

test("refusals of the API are told in words", async () => {
  await on_page(async (page) => {
    await connect(page);
    for (const [status, words] of [[403, "may not do that"], [429, "for today"], [503, "try again in a moment"]]) {
      await page.route(/\/customers\?/, (route) => route.fulfill({ status, json: { status: "error", message: "" } }));
      await page.locator("#search").fill(`with ${status}`);
      await page.getByRole("alert").getByText(words).waitFor();
      await page.unroute(/\/customers\?/);
    }
  }, { expected: ["403", "429", "503"] });
});

// Nobody has to scroll sideways.
async function fits(page) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.ok(!wide, "nothing is wider than the window");
  const cut = await page.locator("#list .tag").evaluateAll((tags) => tags.filter((tag) => {
    const [inner, outer] = [tag.getBoundingClientRect(), tag.parentElement.getBoundingClientRect()];
    return inner.left < outer.left - 1 || inner.right > outer.right + 1;
  }).length);
  assert.equal(cut, 0, "no tag is wider than its place");
}

for (const colorScheme of ["light", "dark"]) {
  test(`everyone can use it, in ${colorScheme} colours`, async () => {
    await post({ first_name: "Grace", last_name: "Hopper", company_name: "Navy", email: "grace@example.com", phone: "+1 763 555 0177", tags: ["vip", "lead", "x".repeat(100)], status: "active" });
    for (const viewport of [{ width: 1280, height: 860 }, { width: 390, height: 844 }, { width: 320, height: 700 }]) {
      await on_page(async (page) => {
        await flawless(page);
        await connect(page);
        await rows(page).first().waitFor();
        await flawless(page);
        await fits(page);
        if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${colorScheme}-${viewport.width}-list.png` });
        await page.getByText("Grace Hopper").first().click();
        await page.getByRole("heading", { name: "Grace Hopper" }).waitFor();
        await flawless(page);
        if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${colorScheme}-${viewport.width}.png` });
        await fits(page);
      }, { colorScheme, viewport });
    }
  });
}

async function flawless(page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]), []);
}

test("what is typed while a save is under way stays, and is saved next", async () => {
  const { id } = await post({ first_name: "Slow", last_name: "Typist" });
  await on_page(async (page) => {
    await connect(page);
    await page.locator("#search").pressSequentially("slow typist");
    await seen(page, "1 customer");
    await rows(page).first().click();
    await page.getByRole("heading", { name: "Slow Typist" }).waitFor();
    let arrived;
    const waiting = new Promise((resolve) => { arrived = resolve; });
    let release;
    const released = new Promise((resolve) => { release = resolve; });
    await page.route("**/customers", async (route) => {
      arrived();
      await released;
      await route.continue();
    });
    await page.getByLabel("Source").fill("phone");
    await page.getByRole("button", { name: "Save" }).click();
    await waiting;
    await page.getByLabel("Notes").fill("typed meanwhile");
    release();
    await seen(page, "Saved. What you typed since is not saved yet.");
    assert.equal(await page.getByLabel("Notes").inputValue(), "typed meanwhile");
    await page.getByRole("button", { name: "Save" }).click();
    await seen(page, "Saved.");
  });
  const { source, notes } = await get(id);
  assert.deepEqual({ source, notes }, { source: "phone", notes: "typed meanwhile" });
});

test("a key that may only read is offered nothing that it may not do", async () => {
  await post({ first_name: "Only", last_name: "Read", tags: ["vip"] });
  const key = key_with("customers:read");
  await on_page(async (page) => {
    await connect(page, key);
    await page.getByText("Read only").waitFor();
    await page.locator("#search").pressSequentially("only read");
    await seen(page, "1 customer");
    await rows(page).first().click();
    await page.getByRole("heading", { name: "Only Read" }).waitFor();
    for (const name of ["New customer", "Save", "Archive", "Restore", "Add tag"]) {
      assert.equal(await page.getByRole("button", { name }).count(), 0, name);
    }
    assert.equal(await page.getByLabel("First name").isEditable(), false);
    const { violations } = await new AxeBuilder({ page }).analyze();
    assert.deepEqual(violations, []);
  });
});

test("a key that may not read is told so", async () => {
  const key = key_with("customers:write");
  await on_page(async (page) => {
    await page.getByLabel("API key").fill(key);
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("may not read customers").waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  });
});
