// A fetch that tries again what may succeed the next time, and never does a request twice.

/** Whoever comes back after so many seconds may be served: longer than this client waits. */
export class RetryLater extends Error {
  override readonly name = "RetryLater";

  constructor(
    readonly status: number,
    readonly seconds: number,
    message: string,
  ) {
    super(`${message} (try again in ${seconds} seconds)`);
  }
}

export interface Patience {
  /** How often a request is sent at most. */
  attempts: number;
  /** The longest wait before the next attempt, in seconds. A daily limit may ask for hours. */
  longestWait: number;
}

const RETRIED = new Set([409, 429, 503]);

export function retrying(
  send: (request: Request) => Promise<Response> = fetch,
  { attempts, longestWait }: Patience = { attempts: 5, longestWait: 30 },
): (request: Request) => Promise<Response> {
  return async (request) => {
    // A reply may be lost after the request was done. By this key the service knows it again.
    if (request.method === "POST" && !request.headers.has("idempotency-key")) {
      request.headers.set("idempotency-key", crypto.randomUUID());
    }
    for (let attempt = 1; ; attempt += 1) {
      const last = attempt >= attempts;
      let response: Response;
      try {
        // A body is read once, so each attempt sends a copy.
        response = await send(request.clone());
      } catch (error) {
        if (last || request.signal.aborted) throw error;
        await sleep(backoff(attempt));
        continue;
      }
      const seconds = retryAfter(response);
      if (seconds === undefined) return response;
      if (last || seconds > longestWait) throw await later(response, seconds);
      await response.body?.cancel();
      await sleep(seconds + backoff(attempt));
    }
  };
}

function retryAfter(response: Response): number | undefined {
  const header = response.headers.get("retry-after");
  return RETRIED.has(response.status) && header !== null && /^\d+$/.test(header) ? Number(header) : undefined;
}

async function later(response: Response, seconds: number): Promise<RetryLater> {
  const body: unknown = await response.json().catch(() => null);
  const told = typeof body === "object" && body !== null && "message" in body ? String(body.message) : response.statusText;
  return new RetryLater(response.status, seconds, told);
}

/** Seconds, doubling, with some chance in them: many clients that were cut off do not come back at once. */
function backoff(attempt: number): number {
  return 0.1 * 2 ** (attempt - 1) * (0.5 + Math.random());
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
