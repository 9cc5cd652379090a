// The API's client side: one request, one answer, one deadline. Errors carry words for an operator and say
// whether the engine answered at all, because "nobody answered" and "the engine refused" end differently.
import type { RunInfo } from "./run-file.ts";

const DEFAULT_TIMEOUT_MS = 10_000;

/** Nobody answered, or something that is not this API. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export class ControlClient {
  private readonly base: string;
  private readonly token: string;
  private readonly timeoutMs: number;

  constructor(run: Pick<RunInfo, "host" | "port" | "token">, timeoutMs: number = DEFAULT_TIMEOUT_MS) {
    const host = run.host.includes(":") && !run.host.startsWith("[") ? `[${run.host}]` : run.host;
    this.base = `http://${host}:${run.port}`;
    this.token = run.token;
    this.timeoutMs = timeoutMs;
  }

  get(path: string): Promise<Answer> {
    return this.request("GET", path, null);
  }

  post(path: string, body: object): Promise<Answer> {
    return this.request("POST", path, body);
  }

  put(path: string, body: object): Promise<Answer> {
    return this.request("PUT", path, body);
  }

  private async request(method: string, path: string, body: object | null): Promise<Answer> {
    try {
      const response = await fetch(this.base + path, {
        method,
        redirect: "error",
        signal: AbortSignal.timeout(this.timeoutMs),
        headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
        ...(body === null ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: await response.json() };
    } catch (error) {
      const { name, message } = error as Error;
      const why = name === "TimeoutError" ? `no answer within ${this.timeoutMs} ms` : message;
      throw new UnreachableError(`${this.base} does not answer (${why})`);
    }
  }
}
