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
  await response.body?.cancel();
  if (!response.ok) throw new Error(`${host} answered ${response.status}`);
}

async function mail(
  route: Extract<AlertRoute, { readonly kind: "email" }>,
  message: AlertMessage,
  source: string,
): Promise<void> {
  const { host, port, tls, user, secret, from, to } = route;
  const transport = nodemailer.createTransport({
    host,
    port,
    secure: tls,
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
