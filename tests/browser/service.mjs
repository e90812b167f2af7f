// The real program on a private PostgreSQL, and a browser beside it; all of it gone afterwards.

import { spawn } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const PROGRAM = process.env.CLIENTELE ?? new URL("../../target/debug/clientele", import.meta.url).pathname;
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

export async function start() {
  const folder = await mkdtemp(join(tmpdir(), "clientele-browser-"));
  // The private PostgreSQL of root runs as somebody else, who must get in.
  await chmod(folder, 0o755);
  const kept = Object.entries(process.env).filter(([name]) => name !== "DATABASE_URL" && !name.startsWith("CLIENTELE"));
  const program = spawn(PROGRAM, ["serve"], {
    cwd: tmpdir(),
    env: { ...Object.fromEntries(kept), CLIENTELE_DATA_DIR: join(folder, "data"), CLIENTELE_BIND: "127.0.0.1:0", CLIENTELE_METRICS_BIND: "off", RUST_LOG: "warn" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => program.once("exit", resolve));
  let browser;
  const stop = async () => {
    await browser?.close();
    program.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop().finally(() => process.exit(1)));
  try {
    const { address, key } = await greeting(program);
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
    return { address, key, browser, folder, program: PROGRAM, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function greeting(program) {
  let text = "";
  for await (const line of createInterface({ input: program.stdout })) {
    text += `${line}\n`;
    const address = text.match(/listens on (http:\/\/\S+)/)?.[1];
    const key = text.match(/x-api-key: (clientele_\w+)/)?.[1];
    if (address && key) {
      program.stdout.resume();
      return { address, key };
    }
  }
  throw new Error(`no address and key in: ${text}`);
}
