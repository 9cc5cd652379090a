// Which Host and Origin the API answers to. A page of another site cannot forge them, so a name that an
// attacker lets resolve to 127.0.0.1 (DNS rebinding) is turned away before anything else is looked at.

const LOOPBACK_NAMES = ["127.0.0.1", "localhost", "[::1]"] as const;

export class HostGuard {
  private readonly hosts: ReadonlySet<string>;
  private readonly origins: ReadonlySet<string>;

  /** `extraHosts`: further host names, without port, that the operator configured. */
  constructor(port: number, extraHosts: readonly string[] = []) {
    const names = [...LOOPBACK_NAMES, ...extraHosts.map((name) => name.toLowerCase())];
    this.hosts = new Set(names.map((name) => `${name}:${port}`));
    this.origins = new Set([...this.hosts].map((host) => `http://${host}`));
  }

  allowsHost(host: string | undefined): boolean {
    return host !== undefined && this.hosts.has(host.toLowerCase());
  }

  /** Programs send no Origin; a browser does whenever a page of another site could be behind the request. */
  allowsOrigin(origin: string | undefined): boolean {
    return origin === undefined || this.origins.has(origin.toLowerCase());
  }

  get expected(): string {
    return [...this.hosts].join(", ");
  }
}
