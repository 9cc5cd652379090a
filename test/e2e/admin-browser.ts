// A headless Chromium for the page tests, driven over its own DevTools socket: no browser library is installed.
import { existsSync } from "node:fs";

export const CHROMIUM =
  ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path)) ?? null;

const FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--remote-debugging-port=0",
];

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
  readonly params?: unknown;
}

export class Browser {
  /** Exceptions, console errors and refusals of the content security policy. */
  readonly complaints: string[] = [];
  private readonly child: Bun.Subprocess<"ignore", "ignore", "pipe">;
  private readonly socket: WebSocket;
  private readonly waiting = new Map<number, (message: Message) => void>();
  private session: string | undefined;
  private nextId = 1;

  private constructor(child: Bun.Subprocess<"ignore", "ignore", "pipe">, socket: WebSocket) {
    this.child = child;
    this.socket = socket;
    socket.addEventListener("message", (event) => this.receive(JSON.parse(String(event.data)) as Message));
  }

  /** `profile`: a directory that may be thrown away. */
  static async open(profile: string, url: string): Promise<Browser> {
    const child = Bun.spawn([CHROMIUM!, ...FLAGS, `--user-data-dir=${profile}`, "about:blank"], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    const socket = new WebSocket(await devToolsUrl(child.stderr));
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", reject);
    });
    const browser = new Browser(child, socket);
    const { targetId } = await browser.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await browser.send("Target.attachToTarget", { targetId, flatten: true });
    browser.session = sessionId as string;
    for (const domain of ["Runtime", "Log", "Page"]) await browser.send(`${domain}.enable`, {});
    await browser.send("Page.navigate", { url });
    return browser;
  }

  /** The value of an expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const answer = await this.send("Runtime.evaluate", { expression, returnByValue: true });
    return (answer["result"] as { value?: unknown }).value;
  }

  /** The reader's theme, and the width of the window in CSS pixels. */
  async look(scheme: "light" | "dark", width: number): Promise<void> {
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.send("Emulation.setEmulatedMedia", { features });
    const size = { width, height: 900, deviceScaleFactor: 1, mobile: false };
    await this.send("Emulation.setDeviceMetricsOverride", size);
  }

  /** Waits until the expression is truthy; throws after `timeoutMs`. */
  async until(expression: string, timeoutMs = 8_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!(await this.evaluate(`Boolean(${expression})`))) {
      if (performance.now() > deadline) throw new Error(`never true: ${expression}`);
      await Bun.sleep(50);
    }
  }

  async close(): Promise<void> {
    this.socket.close();
    this.child.kill("SIGKILL");
    await this.child.exited;
  }

  private send(method: string, params: object): Promise<Record<string, unknown>> {
    const id = this.nextId++;
    const session = this.session === undefined ? {} : { sessionId: this.session };
    this.socket.send(JSON.stringify({ id, method, params, ...session }));
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ({ result, error }) =>
        error === undefined ? resolve(result ?? {}) : reject(new Error(`${method}: ${error.message}`)),
      );
    });
  }

  private receive(message: Message): void {
    if (message.id !== undefined) {
      this.waiting.get(message.id)?.(message);
      this.waiting.delete(message.id);
    } else if (message.method === "Runtime.exceptionThrown" || message.method === "Log.entryAdded")
      this.complaints.push(JSON.stringify(message.params));
  }
}

async function devToolsUrl(stderr: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stderr.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`Chromium ended: ${text}`);
    text += decoder.decode(value, { stream: true });
    const match = /DevTools listening on (ws:\/\/\S+)\n/.exec(text);
    if (match === null) continue;
    // The rest is read and dropped: a full pipe would stop the browser.
    void (async () => {
      while (!(await reader.read()).done);
    })().catch(() => {});
    return match[1]!;
  }
}
