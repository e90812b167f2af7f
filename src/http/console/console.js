// The page: the key, the keyboard, and what the list and the editor tell each other.

import { key, call, Refused } from "./api.js";
import { $, show } from "./dom.js";
import * as editor from "./editor.js";
import * as lists from "./list.js";

function failed(error) {
  if (error && !(error instanceof Refused)) console.error(error);
  show($("error"), Boolean(error));
  const fields = (error?.fields ?? []).map((field) => `${field.field}: ${field.message}`).join("; ");
  $("error").textContent = error ? [error.message, fields].filter(Boolean).join(" ") : "";
  if (error?.status === 401) leave(false);
}

const list = lists.start(editor.open, failed);
editor.start({
  failed,
  opened: (id) => lists.mark(id),
  closed: (id) => { lists.mark(undefined); lists.mark(id, true); lists.mark(undefined); },
  changed: list.reload,
});

async function enter() {
  try {
    const who = await call("GET", "/auth/test");
    if (!who.scopes.includes("customers:read")) {
      throw new Refused(403, "This key may not read customers. Paste one with the scope customers:read.");
    }
    const writes = who.scopes.includes("customers:write");
    $("company").textContent = writes ? "" : "Read only: this key may change nothing";
    show($("new"), writes);
    editor.may_write(writes);
  } catch (error) {
    if (error.status === 401 || error.status === 403) key.forget();
    show($("key-form"), true);
    $("key").focus();
    return failed(error);
  }
  failed(null);
  $("key").value = "";
  show($("key-form"), false);
  show($("workspace"), true);
  show($("forget"), true);
  $("search").focus();
  list.at_once();
}

// Nothing of the customers is left on the page.
function leave(clear_error = true) {
  key.forget();
  lists.stop();
  editor.hide();
  for (const id of ["workspace", "forget", "new"]) show($(id), false);
  $("company").textContent = "";
  show($("key-form"), true);
  $("key").value = "";
  $("key").focus();
  if (clear_error) failed(null);
}

$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = $("key").value.trim();
  // What is no text of a header could not be sent.
  if (!/^[\x21-\x7e]+$/.test(given)) {
    return failed(new Refused(400, "This is not an API key: it has spaces or letters which keys never have."));
  }
  key.keep(given);
  enter();
});
$("forget").addEventListener("click", () => { if (editor.may_leave()) leave(); });
$("new").addEventListener("click", editor.create);

document.addEventListener("keydown", (event) => {
  if ($("workspace").hidden || event.isComposing) return;
  const at = event.target;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
    event.preventDefault();
    if (editor.is_open()) editor.save();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    if (editor.is_open()) { event.preventDefault(); editor.close(); }
    return;
  }
  const in_list = $("list").contains(at) || at === $("search");
  if (in_list && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    lists.move(event.key === "ArrowDown" ? 1 : -1);
  } else if (!at.matches("input, select, textarea") && event.key === "/") {
    event.preventDefault();
    if (matchMedia("(max-width: 60rem)").matches && editor.is_open()) editor.close();
    $("search").focus();
    $("search").select();
  } else if (!at.matches("input, select, textarea") && event.key.toLowerCase() === "n" && !$("new").hidden) {
    event.preventDefault();
    editor.create();
  }
});

if (key.get()) enter();
else {
  show($("key-form"), true);
  $("key").focus();
}
