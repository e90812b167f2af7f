// What an integrator does, one after the other: CLIENTELE_URL and CLIENTELE_KEY say where and as whom.

import { pathToFileURL } from "node:url";
import { client, everyone, fieldErrors } from "./client.js";

export async function example(url: string, key: string, log: (line: string) => void): Promise<void> {
  const clientele = client(url, key);

  const phone = `+1 763-555-${String(Math.floor(Math.random() * 10_000)).padStart(4, "0")}`;
  const saved = await clientele.POST("/customers", {
    body: { first_name: "Grace", last_name: "Hopper", phone, tags: ["vip"] },
  });
  if (!saved.data) throw new Error(saved.error.message);
  const { id } = saved.data;
  log(`${saved.response.headers.get("clientele-outcome")}: ${id}`);

  // The same phone, written in another way, is the same customer.
  const again = await clientele.POST("/customers", {
    body: { phone: phone.replaceAll("-", "."), property_city: "Minneapolis" },
  });
  if (!again.data) throw new Error(again.error.message);
  const { headers } = again.response;
  log(`${headers.get("clientele-outcome")} by ${headers.get("clientele-matched-by")}: ${again.data.id}`);

  for await (const customer of everyone(clientele, `hopper ${phone.slice(-8)}`)) {
    log(`found: ${customer.first_name} in ${customer.address?.city}, ${customer.tags?.join(", ")}`);
  }

  const one = await clientele.GET("/customers/{id}", { params: { path: { id } } });
  log(`known since ${one.data?.data.created_at}`);

  const refused = await clientele.POST("/customers", { body: { email: "grace@", phone: "none" } });
  if (refused.response.status === 400 && refused.error) {
    for (const [field, message] of fieldErrors(refused.error) ?? []) log(`${field}: ${message}`);
  }

  const archived = await clientele.POST("/customers/{id}/archive", { params: { path: { id } } });
  log(`archived: ${archived.data?.data.id}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { CLIENTELE_URL, CLIENTELE_KEY } = process.env;
  if (!CLIENTELE_URL || !CLIENTELE_KEY) throw new Error("CLIENTELE_URL and CLIENTELE_KEY are not set");
  await example(CLIENTELE_URL, CLIENTELE_KEY, console.log);
}
