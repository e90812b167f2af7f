// The list: what is searched, filtered and paged through.

import { call } from "./api.js";
import { $, called, make, show } from "./dom.js";

const LIMIT = 50;
// Long enough that a word typed at once is one request, short enough not to be felt.
const PAUSE = 150;

let page = 1;
let timer;
let running;

export function start(open, failed) {
  const reload = () => load(failed);
  const soon = () => {
    clearTimeout(timer);
    // What is under way is about something else by now.
    running?.abort();
    timer = setTimeout(() => { page = 1; reload(); }, PAUSE);
  };
  const at_once = () => { page = 1; reload(); };
  $("search").addEventListener("input", soon);
  $("tags").addEventListener("input", soon);
  $("status").addEventListener("change", at_once);
  $("archived").addEventListener("change", at_once);
  $("filters").addEventListener("submit", (event) => { event.preventDefault(); at_once(); });
  $("previous").addEventListener("click", () => { page -= 1; reload(); });
  $("next").addEventListener("click", () => { page += 1; reload(); });
  $("list").addEventListener("click", (event) => {
    const row = event.target.closest("button");
    if (row) open(row.dataset.id);
  });
  return { reload, at_once };
}

// Reads the page. Whatever was asked before is aborted, so that it cannot arrive later.
async function load(failed) {
  clearTimeout(timer);
  running?.abort();
  const mine = new AbortController();
  running = mine;
  $("list").setAttribute("aria-busy", "true");
  try {
    const found = await call("GET", `/customers?${query()}`, { signal: mine.signal });
    if (running !== mine) return;
    failed(null);
    draw(found);
  } catch (error) {
    if (error.name !== "AbortError" && running === mine) failed(error);
  } finally {
    if (running === mine) $("list").removeAttribute("aria-busy");
  }
}

export function stop() {
  clearTimeout(timer);
  running?.abort();
  running = undefined;
  page = 1;
  $("filters").reset();
  $("list").replaceChildren();
  $("total").textContent = "";
}

function query() {
  const asked = new URLSearchParams({ limit: LIMIT, page });
  const given = { search: $("search").value, status: $("status").value, tags: $("tags").value };
  for (const [name, value] of Object.entries(given)) {
    if (value.trim()) asked.set(name, value.trim());
  }
  if ($("archived").checked) {
    asked.set("archived", "true");
    // Those that are archived are marked.
    asked.set("expand", "times");
  }
  return asked;
}

function draw({ data, pagination }) {
  const { total, has_more } = pagination;
  const pages = Math.max(1, Math.ceil(total / LIMIT));
  const focused = document.activeElement?.dataset?.id;
  $("total").textContent = `${total.toLocaleString("en")} ${total === 1 ? "customer" : "customers"}`;
  $("page").textContent = `Page ${page.toLocaleString("en")} of ${pages.toLocaleString("en")}`;
  $("previous").disabled = page <= 1;
  $("next").disabled = !has_more;
  $("list").replaceChildren(...data.map(row));
  show($("nobody"), data.length === 0);
  const filtered = [...query().keys()].length > 2;
  $("nobody").textContent = filtered
    ? "Nobody found. Try fewer letters or other filters."
    : "No customers yet. Press N to add the first one.";
  if (focused) row_of(focused)?.focus();
  mark($("customer").dataset.id);
}

function row(customer) {
  const name = called(customer);
  const second = customer.company_name && customer.company_name !== name ? customer.company_name : customer.address?.city;
  const reach = [customer.email, customer.phone].filter((value) => value && value !== name);
  const labels = (customer.tags ?? []).slice(0, 4).map((tag) => make("span", { class: "tag" }, tag));
  const states = [customer.archived_at && "archived", customer.status].filter(Boolean);
  labels.unshift(...states.map((state) => make("span", { class: "tag state" }, state)));
  return make("li", {}, make("button", { type: "button", "data-id": customer.id },
    make("span", { class: "face", "aria-hidden": "true" }, initials(name)),
    make("span", { class: "who" }, make("b", {}, name), make("span", {}, second ?? "")),
    make("span", { class: "reach" }, ...reach.map((value) => make("span", {}, value))),
    make("span", { class: "labels" }, ...labels)));
}

function initials(name) {
  const words = name.split(/\s+/).map((word) => word.match(/[\p{L}\p{N}]/u)?.[0]).filter(Boolean);
  return words.slice(0, 2).join("").toUpperCase() || "–";
}

const row_of = (id) => $("list").querySelector(`[data-id="${CSS.escape(id)}"]`);

// Says which customer is open, and on request puts the focus back on it.
export function mark(id, focus = false) {
  for (const button of $("list").querySelectorAll("button")) {
    if (button.dataset.id === id) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  if (focus) (id ? row_of(id) ?? $("search") : $("search")).focus();
}

// Moves the focus up or down the list, from the search into it and back.
export function move(step) {
  const rows = [...$("list").querySelectorAll("button")];
  const at = rows.indexOf(document.activeElement) + step;
  if (at < 0) $("search").focus();
  else rows[Math.min(at, rows.length - 1)]?.focus();
}
