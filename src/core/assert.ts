// Cheap production asserts (about 1 ns when they hold). Messages are literals: a template string would be
// built on every call.

export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
