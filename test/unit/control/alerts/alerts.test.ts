import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAlertConfig } from "../../../../src/control/alerts/alert-rules.ts";
import { AlertService, type AlertServiceOptions } from "../../../../src/control/alerts/alert-service.ts";
import { counter, gauge, type MetricFamily } from "../../../../src/control/metric-families.ts";
import { CERTIFICATE, httpReceiver, smtpReceiver } from "./receivers.ts";

let dir = "";
let http: ReturnType<typeof httpReceiver>;
let families: MetricFamily[] = [];
let now = 0;
const logged: string[] = [];
const services: AlertService[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "hotlane-alerts-"));
  http = httpReceiver();
  now = 1_800_000_000_000;
  logged.length = 0;
});
afterEach(async () => {
  for (const service of services.splice(0)) await service.stop(0);
  await http.stop();
  rmSync(dir, { recursive: true, force: true });
});

function secret(name: string, text: string, mode = 0o600): string {
  writeFileSync(join(dir, name), text);
  chmodSync(join(dir, name), mode);
  return name;
}

function rulesFile(text: string): string {
  const file = join(dir, "alerts.toml");
  writeFileSync(file, text);
  return file;
}

function service(text: string, more: Partial<AlertServiceOptions> = {}): AlertService {
  const made = new AlertService({
    config: readAlertConfig(rulesFile(text)),
    dataDir: dir,
    source: "hotlane sim on test",
    metrics: () => families,
    query: null,
    log: (level, line, fields) => void logged.push(`${level} ${line} ${JSON.stringify(fields ?? {})}`),
    nowMs: () => now,
    firstRetryMs: 5,
    ...more,
  });
  services.push(made);
  return made;
}

const webhook = (more = "") => `[[routes]]\nname = "hook"\nkind = "webhook"\nurl = "${http.url}/in"\n${more}`;
const rule = (name: string, more: string) => `[[rules]]\nname = "${name}"\nseverity = "critical"\n${more}\n`;

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!condition() && performance.now() < end) await Bun.sleep(5);
  expect(condition()).toBe(true);
}
const states = () => http.received.map(({ body }) => `${body["state"]} ${body["rule"]}`);

test("an alert is told once after its time, again after repeat, and once when it ends", async () => {
  const alerts = service(
    `repeat = "1h"\n${rule("lag", 'metric = "lag_s"\nabove = 60\nfor = "10s"\nsummary = "behind"')}${webhook()}`,
  );
  const at = (seconds: number, value: number): void => {
    now += seconds * 1000;
    families = [gauge("lag_s", "", [[{ target: "db" }, value]])];
    alerts.look();
  };
  at(0, 61);
  at(5, 70);
  at(4, 59);
  at(1, 80);
  expect(http.calls).toBe(0);
  for (let i = 0; i < 30; i++) at(1, 90);
  await until(() => http.received.length === 1);
  expect(http.received[0]).toMatchObject({
    path: "/in",
    body: {
      source: "hotlane sim on test",
      state: "firing",
      rule: "lag",
      severity: "critical",
      labels: { target: "db" },
      value: 90,
      summary: "behind",
    },
  });
  at(3599, 90);
  at(1, 90);
  await until(() => http.received.length === 2);
  at(1, 60);
  at(1, 60);
  await until(() => http.received.length === 3);
  expect(states()).toEqual(["firing lag", "firing lag", "resolved lag"]);
  const ids = http.received.map(({ body }) => body["id"]);
  expect(new Set(ids).size).toBe(1);
});

test("a restart neither tells a firing alert anew nor forgets to end it", async () => {
  const text = `${rule("killed", 'metric = "kill"\nabove = 0')}${webhook()}`;
  families = [gauge("kill", "", [[{}, 1]])];
  service(text).look();
  await until(() => http.received.length === 1);
  const again = service(text);
  again.look();
  now += 1000;
  again.look();
  families = [gauge("kill", "", [[{}, 0]])];
  again.look();
  await until(() => http.received.length === 2);
  expect(states()).toEqual(["firing killed", "resolved killed"]);
});

test("a receiver that refuses gets the message until it takes it, in order and once", async () => {
  const alerts = service(
    `${rule("a", 'metric = "a"\nabove = 0')}${rule("b", 'metric = "b"\nabove = 0')}${webhook()}`,
  );
  http.refuse(4);
  families = [gauge("a", "", [[{}, 1]]), gauge("b", "", [[{}, 1]])];
  alerts.look();
  await until(() => http.received.length === 2);
  expect(states()).toEqual(["firing a", "firing b"]);
  expect(http.calls).toBe(6);
  expect(logged.filter((line) => line.includes("not delivered")).length).toBe(4);
  await until(() => alerts.families()[1]!.samples.some((s) => "value" in s && s.value === 2));
});

test("increase, ratio, drawdown and absolute values", async () => {
  const alerts = service(
    rule(
      "rejects",
      'metric = "orders_total"\nlabels = { event = "rejected" }\nof = "increase"\nwindow = "60s"\ndivide = { metric = "orders_total", labels = { event = "sent" } }\nabove = 0.2',
    ) +
      rule("fill", 'metric = "depth"\ndivide = { metric = "capacity" }\nabove = 0.5') +
      rule("drawdown", 'metric = "pnl"\nof = "drawdown"\nabove = 100') +
      rule("position", 'metric = "position"\nof = "absolute"\nabove = 3') +
      webhook(),
  );
  const at = (
    seconds: number,
    sent: number,
    rejected: number,
    pnl: number,
    depth: number,
    position: number,
  ) => {
    now += seconds * 1000;
    families = [
      counter("orders_total", "", [
        [{ event: "sent" }, sent],
        [{ event: "rejected" }, rejected],
      ]),
      gauge("pnl", "", [[{}, pnl]]),
      gauge("depth", "", [
        [{ ring: "x" }, depth],
        [{ ring: "y" }, 1],
      ]),
      gauge("capacity", "", [
        [{ ring: "x" }, 10],
        [{ ring: "y" }, 10],
      ]),
      gauge("position", "", [[{ instrument: "A" }, position]]),
    ];
    alerts.look();
  };
  // Half of the first hundred was refused, long ago: the window does not see it.
  at(0, 100, 50, 500, 5, 1);
  at(30, 200, 60, 400, 5, -3);
  expect(http.received.length).toBe(0);
  at(61, 300, 90, 399, 6, -3.5);
  await until(() => http.received.length === 4);
  const told = Object.fromEntries(
    http.received.map(({ body }) => [body["rule"], [body["value"], body["labels"]]]),
  );
  expect(told).toEqual({
    rejects: [0.3, { event: "rejected" }],
    fill: [0.6, { ring: "x" }],
    drawdown: [101, {}],
    position: [3.5, { instrument: "A" }],
  });
});

test("SQL rules ask the store at their interval; labels are the other columns; a failing query stops nothing", async () => {
  const asked: string[] = [];
  let answer: "rows" | "error" | "absent" = "rows";
  const alerts = service(
    `${rule("denied", 'sql = "SELECT 1"\nevery = "30s"\nabove = 5')}${rule("kill", 'metric = "kill"\nabove = 0')}${webhook()}`,
    {
      query: async (sql) => {
        asked.push(sql);
        if (answer === "error") throw new Error("store away");
        return answer === "absent"
          ? null
          : [
              { strategy: "mm", value: "7" },
              { strategy: "x", value: null },
            ];
      },
    },
  );
  families = [];
  alerts.look();
  now += 1000;
  alerts.look();
  await until(() => http.received.length === 1);
  expect(http.received[0]!.body).toMatchObject({ rule: "denied", labels: { strategy: "mm" }, value: 7 });
  expect(asked).toEqual(["SELECT 1"]);
  answer = "absent";
  now += 30_000;
  alerts.look();
  await Bun.sleep(10);
  answer = "error";
  now += 30_000;
  families = [gauge("kill", "", [[{}, 1]])];
  alerts.look();
  await until(() => http.received.length === 2);
  expect(states()).toEqual(["firing denied", "firing kill"]);
  await until(() => logged.some((line) => line.includes("alert rule denied: store away")));
});

test("Slack, Telegram and e-mail get a readable text; a route takes what is as severe as it asks", async () => {
  const smtp = await smtpReceiver({ secure: false, startTls: false, login: "" });
  secret("slack", `${http.url}/services/T0/B0/slack-secret\n`);
  secret("telegram", "42:telegram-secret");
  secret("hook", "hook-secret");
  const alerts = service(
    `${rule("disk", 'metric = "disk"\nbelow = 1000\nsummary = "full soon"')}
[[rules]]
name = "note"
severity = "info"
metric = "disk"
below = 1000
${webhook(`severity = "info"\nbearer_file = "hook"`)}
[[routes]]
name = "slack"
kind = "slack"
url_file = "slack"
[[routes]]
name = "tg"
kind = "telegram"
token_file = "telegram"
chat_id = "-100"
api = "${http.url}/tg"
[[routes]]
name = "mail"
kind = "email"
host = "127.0.0.1"
port = ${smtp.port}
from = "hotlane@example.org"
to = ["ops@example.org", "desk@example.org"]
`,
  );
  families = [gauge("disk", "", [[{ path: "/data" }, 10]])];
  alerts.look();
  await until(() => http.received.length === 4 && smtp.mails.length === 1);
  const text = (path: string): string => String(http.received.find((r) => r.path === path)!.body["text"]);
  const expected =
    "CRITICAL: disk (path=/data)\nfull soon\nvalue 10 since 2027-01-15T08:00:00.000Z, hotlane sim on test";
  expect(text("/services/T0/B0/slack-secret")).toBe(expected);
  expect(text("/tg/bot42:telegram-secret/sendMessage")).toBe(expected);
  const hooks = http.received.filter((r) => r.path === "/in");
  expect(hooks.map((r) => [r.body["rule"], r.authorization]).sort()).toEqual([
    ["disk", "Bearer hook-secret"],
    ["note", "Bearer hook-secret"],
  ]);
  const [mail] = smtp.mails;
  expect(mail!.text).toContain("Subject: CRITICAL: disk (path=/data)");
  expect(mail!.text).toContain("To: ops@example.org, desk@example.org");
  expect(mail!.text).toContain("value 10 since");
  expect(logged.join("\n")).not.toContain("secret");
  await smtp.stop();
}, 60_000);

const mailRoute = (port: number, more: string): string => `[[routes]]
name = "mail"
kind = "email"
host = "127.0.0.1"
port = ${port}
from = "hotlane@example.org"
to = ["ops@example.org"]
${more}`;

test("e-mail over TLS from the first byte and over STARTTLS, with a password, to a server with its own certificate", async () => {
  secret("mail-password", "mail-secret\n");
  const login = 'user = "desk"\npassword_file = "mail-password"';
  for (const secure of [true, false]) {
    const smtp = await smtpReceiver({ secure, startTls: true, login: "desk:mail-secret" });
    const more = `tls = ${secure}\nca_file = "${CERTIFICATE}"\n${login}`;
    const alerts = service(
      `${rule(`tls-${secure}`, 'metric = "x"\nabove = 0')}${mailRoute(smtp.port, more)}`,
    );
    families = [gauge("x", "", [[{}, 1]])];
    alerts.look();
    await until(() => smtp.mails.length === 1);
    expect(smtp.mails[0]).toMatchObject({ secure: true, user: "desk" });
    expect(smtp.mails[0]!.text).toContain(`Subject: CRITICAL: tls-${secure}`);
    await alerts.stop(0);
    await smtp.stop();
  }
  expect(logged.join("\n")).not.toContain("mail-secret");
}, 60_000);

test("a password goes to nobody without encryption, nor to a server whose certificate nobody vouches for", async () => {
  secret("mail-password", "mail-secret");
  const login = 'user = "desk"\npassword_file = "mail-password"\n';
  const plain = await smtpReceiver({ secure: false, startTls: false, login: "desk:mail-secret" });
  const unknown = await smtpReceiver({ secure: true, startTls: true, login: "desk:mail-secret" });
  for (const [smtp, tls] of [
    [plain, false],
    [unknown, true],
  ] as const) {
    const before = logged.length;
    const alerts = service(
      `${rule(`refused-${tls}`, 'metric = "x"\nabove = 0')}${mailRoute(smtp.port, `${login}tls = ${tls}`)}`,
    );
    families = [gauge("x", "", [[{}, 1]])];
    alerts.look();
    await until(() => logged.slice(before).some((line) => line.includes("not delivered")));
    await alerts.stop(0);
    expect(smtp.mails).toEqual([]);
    await smtp.stop();
  }
  expect(logged.join("\n")).not.toContain("mail-secret");
}, 60_000);

test("a receiver that asks for patience gets it: Retry-After, and Telegram's retry_after", async () => {
  secret("telegram", "42:telegram-secret");
  const telegram = `[[routes]]
name = "tg"
kind = "telegram"
token_file = "telegram"
chat_id = "1"
api = "${http.url}"
`;
  for (const [route, answer] of [
    [webhook(), () => new Response("", { status: 429, headers: { "retry-after": "0.3" } })],
    [telegram, () => Response.json({ ok: false, parameters: { retry_after: 0.3 } }, { status: 429 })],
  ] as const) {
    http.received.length = 0;
    http.refuse(1, answer);
    const alerts = service(`${rule(`patience-${http.calls}`, 'metric = "x"\nabove = 0')}${route}`);
    families = [gauge("x", "", [[{}, 1]])];
    const from = performance.now();
    alerts.look();
    await until(() => http.received.length === 1);
    // The first retry would come after 5 ms.
    expect(performance.now() - from).toBeGreaterThan(290);
    await alerts.stop(0);
  }
}, 60_000);

test("no secret is in the log when a route cannot be reached", async () => {
  secret("slack", "http://127.0.0.1:1/services/slack-secret");
  secret("telegram", "42:telegram-secret");
  const alerts = service(
    `${rule("x", 'metric = "x"\nabove = 0')}
[[routes]]
name = "slack"
kind = "slack"
url_file = "slack"
[[routes]]
name = "tg"
kind = "telegram"
token_file = "telegram"
chat_id = "1"
api = "http://127.0.0.1:1"
`,
  );
  families = [gauge("x", "", [[{}, 1]])];
  alerts.look();
  await until(() => logged.filter((line) => line.includes("not delivered")).length >= 2);
  expect(logged.join("\n")).toContain("127.0.0.1:1 cannot be reached");
  expect(logged.join("\n")).not.toContain("secret");
});

test("every problem of the rules is named with file and line", () => {
  const bad = rulesFile(
    `${rule("a", 'metric = "m"')}${rule("a", 'metric = "m"\nabove = 1\nfor = "soon"')}[[routes]]\nname = "s"\nkind = "slack"\nurl_file = "nowhere"\n[[routes]]\nname = "t"\nkind = "telegram"\nchat_id = "1"\ntoken_file = "${secret("open", "x", 0o644)}"`,
  );
  let message = "";
  try {
    readAlertConfig(bad);
  } catch (error) {
    message = (error as Error).message;
  }
  for (const part of [
    "alerts.toml:1: rules.0: a needs one of above and below",
    "a second rule is named a",
    "rules.1.for: soon is not a duration",
    "routes.0.url_file: no file",
    "(mode 644), expected 0600",
  ])
    expect(message).toContain(part);
  expect(() => readAlertConfig(rulesFile('[[rules]]\nname = "A b"\nseverity = "bad"'))).toThrow(
    /alerts\.toml:\d+: /,
  );
});

test("the rules that hotlane brings are valid and name metrics that exist", () => {
  const file = join(import.meta.dir, "../../../../config/alerts.toml");
  const { rules, routes } = readAlertConfig(file);
  expect(routes).toEqual([]);
  const source = ["engine-metrics.ts", "alerts/alert-service.ts"]
    .map((name) => readFileSync(join(import.meta.dir, "../../../../src/control", name), "utf8"))
    .join("\n");
  for (const one of rules) if ("metric" in one) expect(source).toContain(`"${one.metric}"`);
  const wanted = [
    "loss",
    "drawdown",
    "position",
    "reject-rate",
    "feed-stale",
    "ring-fill",
    "recorder-lag",
    "lane-stall",
    "disk",
  ];
  expect(rules.map((r) => r.name)).toEqual(expect.arrayContaining(wanted));
});
