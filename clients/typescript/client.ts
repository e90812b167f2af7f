// The client: what `openapi-typescript` made of the API's description, and the headers of every call.

import createClient, { type Client } from "openapi-fetch";
import { retrying } from "./retry.js";
import type { components, paths } from "./schema.js";

export type Customer = components["schemas"]["Customer"];
export type CustomerBody = components["schemas"]["CustomerBody"];
export type CustomerItem = components["schemas"]["CustomerItem"];
type BadRequest = components["schemas"]["BadRequest"];

/** The only version there is, which every call names. */
const VERSION: components["schemas"]["ApiVersion"] = "1.1.0";

/** The calls without that header: the client sends it, and who calls need not. */
type Calls = { [Path in keyof paths]: { [Method in keyof paths[Path]]: WithoutVersion<paths[Path][Method]> } };
type WithoutVersion<Call> = Call extends { parameters: { header: infer Headers extends { "rotor-api-version": unknown } } }
  ? Omit<Call, "parameters"> & {
      parameters: Omit<Call["parameters"], "header"> & { header?: Omit<Headers, "rotor-api-version"> };
    }
  : Call;

export function client(baseUrl: string, key: string, send = retrying()): Client<Calls> {
  return createClient<Calls>({
    baseUrl,
    headers: { "x-api-key": key, "rotor-api-version": VERSION },
    fetch: send,
  });
}

/** What is wrong with each field, by its name, when the service refused some. */
export function fieldErrors(error: BadRequest): Map<string, string> | undefined {
  if (!("errors" in error)) return undefined;
  return new Map(error.errors.map(({ field, message }) => [field, message]));
}

/** Every customer that a search finds, whatever is created or archived while it goes on. */
export async function* everyone(
  clientele: Client<Calls>,
  search: string,
  limit = 1000,
): AsyncGenerator<CustomerItem> {
  for (let cursor: string | null | undefined = ""; cursor != null; ) {
    const page: Page = await clientele.GET("/customers", { params: { query: { search, limit, cursor } } });
    if (!page.data) throw new Error(page.error.message);
    yield* page.data.data;
    cursor = page.data.pagination.next_cursor;
  }
}
type Page = { data: components["schemas"]["CustomerList"]; error?: never } | { data?: never; error: { message: string } };
