// The calls, and what their errors mean in words.

const KEY = "clientele-key";

export const key = {
  get: () => sessionStorage.getItem(KEY),
  keep: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

// A refusal of the API, or no answer at all (status 0).
export class Refused extends Error {
  constructor(status, message, fields = []) {
    super(message);
    this.status = status;
    this.fields = fields;
  }
}

// Calls the API: what it answers, or `Refused`. An aborted call rejects with `AbortError`.
export async function call(method, path, { body, signal } = {}) {
  const headers = { "x-api-key": key.get() ?? "", "rotor-api-version": "1.1.0" };
  if (body !== undefined) headers["content-type"] = "application/json";
  let reply;
  try {
    // Beside the page, wherever a proxy has put both.
    reply = await fetch(`.${path}`, {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "The server cannot be reached. Check the network and try again.");
  }
  const said = await reply.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    return {};
  });
  if (!reply.ok) throw new Refused(reply.status, inWords(reply, said), said.errors ?? []);
  return said;
}

function inWords(reply, said) {
  const again = reply.headers.get("retry-after");
  switch (reply.status) {
    case 401:
      return "This key does not work: it is unknown, revoked or expired. Paste another one.";
    case 403:
      return `This key may not do that. ${said.message ?? ""}`.trim();
    case 404:
      return "This customer does not exist any more.";
    case 429:
      return `This key has used up its requests for today.${again ? ` It works again in ${period(Number(again))}.` : ""}`;
    case 503:
      return "The database is away or too busy. Nothing was lost; try again in a moment.";
    default:
      if (said.errors?.length) return "Some fields cannot be saved.";
      return `${said.message ?? "Something went wrong"} (${reply.status}, request ${reply.headers.get("x-request-id") ?? "unknown"}).`;
  }
}

function period(seconds) {
  const minutes = Math.max(1, Math.ceil(seconds / 60));
  return minutes < 60 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`;
}
