// One customer: shown, changed, tagged, archived. Only what was changed is sent.

import { call } from "./api.js";
import { $, called, make, show } from "./dom.js";

const address = (prefix) => [
  [`${prefix}_street1`, "Street"], [`${prefix}_street2`, "Street, second line"], [`${prefix}_city`, "City"],
  [`${prefix}_state`, "State"], [`${prefix}_zip`, "ZIP"], [`${prefix}_country`, "Country"],
];
const GROUPS = [
  ["Person", [["first_name", "First name"], ["last_name", "Last name"], ["company_name", "Company"],
    ["email", "E-mail"], ["phone", "Phone"], ["status", "Status", "status"], ["source", "Source"],
    ["notes", "Notes", "notes"]]],
  ["Property", address("property")],
  ["Billing", [["billing_same_as_property", "Same as property", "choice"], ...address("billing")]],
  ["Service", [["service_type", "Type of service"], ["service_frequency", "How often"]]],
];
const CHOICES = {
  status: [["", "–"], ["active", "Active"], ["inactive", "Inactive"]],
  choice: [["", "–"], ["true", "Yes"], ["false", "No"]],
};

let known = {};
let turn = 0;
let busy = false;
let writable = true;
let on;

export function start(events) {
  on = events;
  $("fields").append(...GROUPS.map(([title, fields]) =>
    make("fieldset", {}, make("legend", {}, title), ...fields.map(field))));
  $("customer").addEventListener("submit", (event) => { event.preventDefault(); save(); });
  $("close").addEventListener("click", close);
  $("archive").addEventListener("click", () => put_away("archive", "Archived."));
  $("restore").addEventListener("click", () => put_away("restore", "Restored."));
  $("add-tag").addEventListener("click", add_tag);
  $("new-tag").addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); add_tag(); }
  });
}

// A key that may only read is shown everything, and nothing that would be refused.
export function may_write(allowed) {
  writable = allowed;
  for (const input of inputs()) {
    if (input.matches("select")) input.disabled = !allowed;
    else input.readOnly = !allowed;
  }
  show($("save"), allowed);
}

function field([name, label, kind]) {
  const id = `field-${name}`;
  const attributes = { id, name, "aria-describedby": `why-${name}` };
  let input;
  if (CHOICES[kind]) {
    input = make("select", attributes, ...CHOICES[kind].map(([value, text]) => make("option", { value }, text)));
  } else if (kind === "notes") {
    input = make("textarea", { ...attributes, maxlength: 10000 });
  } else {
    input = make("input", { ...attributes, type: "text", autocomplete: "off" });
  }
  return make("div", { class: kind === "notes" ? "field wide" : "field" },
    make("label", { for: id }, label), input, make("div", { class: "why", id: `why-${name}` }));
}

const inputs = () => [...$("fields").querySelectorAll("[name]")];
const as_text = (value) => (value === null || value === undefined ? "" : String(value));

export const is_open = () => !$("editor").hidden;
// A textarea makes other line ends into its own; that is no change.
const lines = (text) => text.replace(/\r\n?/g, "\n");
const changed = () => inputs().filter((input) => lines(input.value).trim() !== lines(as_text(known[input.name])).trim());

// Whether what was typed may be thrown away.
export function may_leave() {
  if (busy) return false;
  return !is_open() || changed().length === 0 || window.confirm("Throw away what was changed?");
}

export async function open(id) {
  if (!may_leave()) return;
  const mine = ++turn;
  try {
    const customer = await read(id);
    // Another may have been asked for meanwhile.
    if (mine === turn) { fill(customer); reveal(); }
  } catch (error) {
    if (mine === turn) on.failed(error);
  }
}

export function create() {
  if (!may_leave()) return;
  turn += 1;
  fill({});
  reveal();
  $("field-first_name").focus();
}

// All fields as they were sent, with billing as it is kept and when it was archived.
const read = async (id) => (await call("GET", `/customers/${encodeURIComponent(id)}/export`)).data;

function reveal() {
  show($("editor"), true);
  $("workspace").classList.add("open");
  on.failed(null);
  on.opened(known.id);
  $("editor").scrollTop = 0;
  $("editor-title").focus();
}

export function close() {
  if (!may_leave()) return;
  const id = known.id;
  hide();
  on.closed(id);
}

export function hide() {
  turn += 1;
  known = {};
  delete $("customer").dataset.id;
  for (const input of inputs()) input.value = "";
  $("tag-list").replaceChildren();
  show($("editor"), false);
  $("workspace").classList.remove("open");
}

// What stands in fields named by `kept` stays.
function fill(customer, kept = new Set()) {
  known = customer;
  const there = Boolean(customer.id);
  if (there) $("customer").dataset.id = customer.id;
  else delete $("customer").dataset.id;
  $("editor-title").textContent = there ? called(customer) : "New customer";
  $("facts").textContent = there ? facts(customer) : "A phone or an e-mail that is known updates the customer who has it.";
  for (const input of inputs()) {
    if (!kept.has(input.name)) input.value = as_text(customer[input.name]);
  }
  refuse([]);
  show($("tag-editor"), there && writable);
  show($("archive"), there && writable && !customer.archived_at);
  show($("restore"), there && writable && Boolean(customer.archived_at));
  $("new-tag").value = "";
  say("");
  draw_tags();
}

function facts(customer) {
  const day = (time) => new Date(time).toLocaleDateString("en", { dateStyle: "medium" });
  const told = [`Created ${day(customer.created_at)}`, `updated ${day(customer.updated_at)}`];
  if (customer.archived_at) told.push(`archived ${day(customer.archived_at)}`);
  if (customer.has_payment_method) told.push("has a payment method");
  return told.join(" · ");
}

function draw_tags() {
  $("tag-list").replaceChildren(...(known.tags ?? []).map((tag) => {
    const remove = make("button", { type: "button", "aria-label": `Remove tag ${tag}` }, "×");
    remove.addEventListener("click", () => retag({ remove: [tag] }, "Tag removed."));
    return make("li", { class: "tag" }, tag, remove);
  }));
}

export async function save() {
  if (busy || !writable) return;
  const body = {};
  const sent = new Map(inputs().map((input) => [input.name, input.value]));
  for (const input of changed()) {
    const value = input.value.trim();
    if (value) body[input.name] = input.name === "billing_same_as_property" ? value === "true" : value;
    else if (known.id) body[input.name] = null;
  }
  if (Object.keys(body).length === 0) return say(known.id ? "Nothing was changed." : "Fill in a field first.");
  if (known.id) body.id = known.id;
  await attempt(async () => {
    refuse([]);
    const saved = await call("POST", "/customers", { body });
    const created = saved.message === "Customer created successfully";
    const told = created ? "Created." : body.id ? "Saved." : "This customer was known, and is updated.";
    const customer = await read(saved.id);
    // Typed while that was under way: it is still to be saved.
    const typed = inputs().filter((input) => input.value !== sent.get(input.name));
    fill(customer, new Set(typed.map((input) => input.name)));
    done(typed.length ? `${told} What you typed since is not saved yet.` : told);
  });
}

function add_tag() {
  const tag = $("new-tag").value.trim();
  if (tag) retag({ add: [tag] }, "Tag added.");
}

const retag = (body, told) => attempt(async () => {
  const { tags } = await call("POST", `/customers/${known.id}/tags`, { body });
  // What was typed in the fields stays as it is.
  known.tags = tags;
  draw_tags();
  if (body.add) $("new-tag").value = "";
  $("new-tag").focus();
  done(told);
});

async function put_away(what, told) {
  if (!may_leave()) return;
  await attempt(async () => {
    await call("POST", `/customers/${known.id}/${what}`);
    await again(known.id, told);
    $(what === "archive" ? "restore" : "archive").focus();
  });
}

async function again(id, told) {
  fill(await read(id));
  done(told);
}

function done(told) {
  say(told);
  on.failed(null);
  on.changed();
}

// Does one thing at a time, and says what went wrong.
async function attempt(work) {
  if (busy) return;
  busy = true;
  try {
    await work();
  } catch (error) {
    say("");
    refuse(error.fields ?? []);
    on.failed(error);
  } finally {
    busy = false;
  }
}

// Puts each refusal under its field, and the focus on the first.
function refuse(errors) {
  for (const input of inputs()) {
    const why = errors.find((error) => error.field === input.name)?.message ?? "";
    $(`why-${input.name}`).textContent = why;
    if (why) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
  if (errors.length) $("fields").querySelector("[aria-invalid]")?.focus();
}

function say(text) {
  $("said").textContent = text;
}
