// What alerts are sent to in tests: an HTTP receiver that can refuse, and nodemailer's SMTP server with TLS.
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { SMTPServer } from "smtp-server";

export interface Received {
  readonly path: string;
  readonly authorization: string | null;
  readonly body: Record<string, unknown>;
}

export function httpReceiver() {
  const received: Received[] = [];
  let refusals: Response[] = [];
  let calls = 0;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      calls++;
      const body = (await request.json()) as Record<string, unknown>;
      const refusal = refusals.shift();
      if (refusal !== undefined) return refusal;
      const { pathname: path } = new URL(request.url);
      received.push({ path, authorization: request.headers.get("authorization"), body });
      return new Response("ok");
    },
  });
  return {
    received,
    url: `http://127.0.0.1:${server.port}`,
    get calls() {
      return calls;
    },
    refuse: (count: number, answer = () => new Response("later", { status: 503 })) => {
      refusals = Array.from({ length: count }, answer);
    },
    stop: () => server.stop(true),
  };
}

const tlsFile = (name: string): string => join(import.meta.dir, "../../../data/tls", name);
/** Certificate of the receivers, signed by itself, for 127.0.0.1 and localhost. */
export const CERTIFICATE = tlsFile("localhost.crt");

export interface Mail {
  /** Encrypted when it was sent. */
  readonly secure: boolean;
  readonly user: string;
  readonly text: string;
}

export interface SmtpOptions {
  /** TLS from the first byte. */
  readonly secure: boolean;
  /** false: STARTTLS is not offered. */
  readonly startTls: boolean;
  /** "user:password" that it wants; "" = anybody may send. */
  readonly login: string;
}

/** nodemailer's smtp-server. Stops at `stop`. */
export async function smtpReceiver({ secure, startTls, login }: SmtpOptions) {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    secure,
    key: readFileSync(tlsFile("localhost.key")),
    cert: readFileSync(CERTIFICATE),
    hideSTARTTLS: !startTls,
    authOptional: login === "",
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _, done) =>
      `${username}:${password}` === login
        ? done(null, { user: String(username) })
        : done(new Error("wrong password")),
    onData: (stream, session, done) => {
      let text = "";
      stream.on("data", (bytes) => {
        text += String(bytes);
      });
      stream.on("end", () => {
        mails.push({ secure: session.secure, user: String(session.user ?? ""), text });
        done();
      });
    },
  });
  await new Promise<void>((listens) => {
    server.listen(0, "127.0.0.1", () => listens());
  });
  server.on("error", () => {});
  const { port } = server.server.address() as AddressInfo;
  return { mails, port, stop: () => new Promise<void>((closed) => server.close(() => closed())) };
}
