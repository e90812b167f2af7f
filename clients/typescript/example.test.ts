// Against a running service: `.ci/clients` starts one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { client, everyone, fieldErrors } from "./client.js";
import { example } from "./example.js";
import { RetryLater, retrying } from "./retry.js";

const url = setting("CLIENTELE_URL");
const key = setting("CLIENTELE_KEY");

function setting(name: string): string {
  const value = process.env[name];
  assert.ok(value, `${name} is not set`);
  return value;
}

/** A word that no other test's customers have. */
function unique(): string {
  return crypto.randomUUID().replaceAll(/[^a-z]/g, "") + "typescript";
}

test("the example does what it says", async () => {
  const lines: string[] = [];
  await example(url, key, (line) => lines.push(line));
  const id = lines[0]?.split(": ")[1];
  assert.deepEqual(
    [...lines.slice(0, 3), ...lines.slice(4)],
    [
      `created: ${id}`,
      `updated by phone: ${id}`,
      "found: Grace in Minneapolis, vip",
      "email: Invalid email format",
      "phone: Invalid phone number: must contain at least one digit",
      `archived: ${id}`,
    ],
  );
  assert.match(lines[3] ?? "", /^known since \d{4}-/);
});

test("a walk sees every customer once, over pages", async () => {
  const clientele = client(url, key);
  const company_name = unique();
  const { data } = await clientele.POST("/customers/batch", {
    body: { customers: ["Ada", "Grace", "Mary"].map((first_name) => ({ first_name, company_name })) },
  });
  assert.equal(data?.summary.created, 3);
  const names: (string | undefined)[] = [];
  for await (const { first_name } of everyone(clientele, company_name, 2)) names.push(first_name);
  assert.deepEqual(names.sort(), ["Ada", "Grace", "Mary"]);
  const { data: page } = await clientele.GET("/customers", {
    params: { query: { search: company_name, limit: 2, page: 2, sort: "-last_name", tags: [] } },
  });
  assert.deepEqual(page?.pagination, { has_more: false, limit: 2, page: 2, total: 3 });
});

test("every bad field is told by its name", async () => {
  const { error, response } = await client(url, key).POST("/customers", { body: { email: "x", notes: "\0" } });
  assert.equal(response.status, 400);
  assert.deepEqual([...(fieldErrors(error!) ?? []).keys()], ["email", "notes"]);
});

test("a request whose reply was lost is sent again, and not done again", async () => {
  let sent = 0;
  const lossy = retrying(async (request) => {
    const response = await fetch(request);
    sent += 1;
    if (sent === 1) throw new TypeError("the connection broke before the reply");
    return response;
  });
  const last_name = unique();
  const clientele = client(url, key, lossy);
  const { data, response } = await clientele.POST("/customers", { body: { last_name } });
  assert.deepEqual([sent, response.status, response.headers.get("idempotency-replayed")], [2, 201, "true"]);
  const { data: list } = await clientele.GET("/customers", { params: { query: { search: last_name } } });
  assert.deepEqual(list?.data.map(({ id }) => id), [data?.id]);
});

test("a service that is busy for a moment is asked again after it", async () => {
  let sent = 0;
  const busy = retrying(async (request) => {
    sent += 1;
    return sent < 3 ? new Response(null, { status: 503, headers: { "retry-after": "0" } }) : fetch(request);
  });
  const { data } = await client(url, key, busy).GET("/auth/test");
  assert.deepEqual([sent, data?.authenticated], [3, true]);
});

test("a connection that never comes about is given up after some attempts", async () => {
  let sent = 0;
  const away = retrying(
    async () => {
      sent += 1;
      throw new TypeError("no connection");
    },
    { attempts: 3, longestWait: 1 },
  );
  await assert.rejects(client(url, key, away).GET("/auth/test"), TypeError);
  assert.equal(sent, 3);
});

test("a daily limit that is used up is not waited for", async () => {
  const limited = client(url, setting("CLIENTELE_LIMITED_KEY"));
  await assert.rejects(
    // The key has one request a day, which whoever came first had.
    async () => {
      for (let n = 0; n < 2; n += 1) await limited.GET("/auth/test");
    },
    (error) => {
      assert.ok(error instanceof RetryLater);
      assert.equal(error.status, 429);
      assert.match(error.message, /^Daily API key request limit of 1 exceeded/);
      assert.ok(error.seconds > 0 && error.seconds <= 86_400);
      return true;
    },
  );
});
