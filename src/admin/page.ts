// The live status page as one self-contained document: markup, style and script of ./page are put together at
// start, the script's types are taken off, and the content security policy names both by their hash, so that
// nothing else can run on the page.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

export interface StatusPage {
  readonly html: string;
  /** Value of the Content-Security-Policy header. */
  readonly policy: string;
}

const part = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");
const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

export function statusPage(): StatusPage {
  // Colours and type are those of report pages.
  const style = part("../analytics/page/theme.css") + part("./page/page.css");
  const script = new Bun.Transpiler({ loader: "ts", target: "browser" }).transformSync(
    part("./page/status-page.ts"),
  );
  if (/<\/script|<!--/i.test(script) || /<\/style/i.test(style))
    throw new Error("the status page's script or style would end its own element");
  const html = part("./page/page.html")
    .replace("/*STYLE*/", () => style)
    .replace("/*SCRIPT*/", () => script);
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return { html, policy };
}
