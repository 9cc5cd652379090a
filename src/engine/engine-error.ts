// A start or stop that cannot go on for a reason the operator can act on. `exitCode` as DESIGN 14.

export class EngineError extends Error {
  override readonly name = "EngineError";
  /** 1 failed, 2 usage or configuration, 4 unsafe end. */
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}
