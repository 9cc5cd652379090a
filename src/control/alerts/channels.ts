// One alert to one route: a JSON webhook, Slack's incoming webhook, Telegram's Bot API, e-mail over SMTP. Each call
// throws when the other side did not take the message; texts of errors never hold a secret. Cold.
import nodemailer from "nodemailer";
import { numberText } from "../../analytics/page/html-text.ts";
import type { AlertRoute } from "./alert-rules.ts";
import type { AlertMessage } from "./alert-states.ts";

export interface Sender {
  /** "hotlane sim on host": who speaks. */
  readonly source: string;
}

const REQUEST_MS = 10_000;

/** The other side answered, and did not take the message. */
export class RefusedError extends Error {
  /** 0 = it did not say. */
  readonly patienceMs: number;

  constructor(message: string, patience: number) {
    super(message);
    this.patienceMs = patience;
  }
}

export async function deliver(route: AlertRoute, message: AlertMessage, { source }: Sender): Promise<void> {
  switch (route.kind) {
    case "webhook":
      return post(route.url, { source, ...message }, authorization(route.secret));
    case "slack":
      return post(route.secret, { text: textOf(message, source) });
    case "telegram":
      return post(`${route.api.replace(/\/$/, "")}/bot${route.secret}/sendMessage`, {
        chat_id: route.chat_id,
        text: textOf(message, source),
        disable_web_page_preview: true,
      });
    default:
      return mail(route, message, source);
  }
}

export function textOf(message: AlertMessage, source: string): string {
  const { state, severity, rule, labels, value, summary, since } = message;
  const what = Object.entries(labels).map(([name, label]) => `${name}=${label}`);
  const lines = [
    `${state === "firing" ? severity.toUpperCase() : "RESOLVED"}: ${rule}${what.length > 0 ? ` (${what.join(", ")})` : ""}`,
    ...(summary === "" ? [] : [summary]),
    `value ${numberText(value)} since ${since}, ${source}`,
  ];
  return lines.join("\n");
}

const authorization = (token: string): Record<string, string> =>
  token === "" ? {} : { authorization: `Bearer ${token}` };

/** The address may hold a token: errors name the route's host at most. */
async function post(url: string, body: object, headers: Record<string, string> = {}): Promise<void> {
  const { host } = new URL(url);
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_MS),
      redirect: "error",
    });
  } catch (error) {
    throw new Error(
      `${host} cannot be reached (${(error as { code?: string }).code ?? (error as Error).name})`,
    );
  }
  if (!response.ok) throw new RefusedError(`${host} answered ${response.status}`, await patienceMs(response));
  await response.body?.cancel();
}

/** How long the other side asks to be left alone: Retry-After (Slack, webhooks), `parameters.retry_after` (Telegram). */
async function patienceMs(response: Response): Promise<number> {
  const text = await response.text().catch(() => "");
  const header = Number(response.headers.get("retry-after") ?? Number.NaN);
  const seconds = Number.isFinite(header) ? header : Number(retryAfter(text));
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}

function retryAfter(text: string): unknown {
  try {
    return (JSON.parse(text) as { parameters?: { retry_after?: unknown } }).parameters?.retry_after;
  } catch {
    return undefined;
  }
}

async function mail(
  route: Extract<AlertRoute, { readonly kind: "email" }>,
  message: AlertMessage,
  source: string,
): Promise<void> {
  const { host, port, tls, user, secret, ca, from, to } = route;
  const transport = nodemailer.createTransport({
    host,
    port,
    secure: tls,
    // A password never goes over a connection that is not encrypted.
    requireTLS: !tls && user !== undefined,
    ...(ca === "" ? {} : { tls: { ca } }),
    connectionTimeout: REQUEST_MS,
    greetingTimeout: REQUEST_MS,
    socketTimeout: REQUEST_MS,
    ...(user === undefined ? {} : { auth: { user, pass: secret } }),
  });
  try {
    const text = textOf(message, source);
    await transport.sendMail({
      from,
      to: [...to],
      subject: text.split("\n")[0]!,
      text,
      messageId: idOf(message, from),
    });
  } catch (error) {
    throw new Error(`${host}:${port}: ${(error as { code?: string }).code ?? "refused the message"}`);
  } finally {
    transport.close();
  }
}

/** The same message sent again is the same mail to a reader. */
function idOf({ id, state }: AlertMessage, from: string): string {
  const hash = new Bun.CryptoHasher("sha256").update(`${id} ${state}`).digest("hex").slice(0, 32);
  return `<${hash}@${from
    .split("@")
    .pop()!
    .replace(/[^A-Za-z0-9.-]/g, "")}>`;
}
