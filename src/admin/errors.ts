// Errors of the API: always JSON, always what is wrong, where, and what was expected instead. Never a stack,
// never a secret, never the text of an unexpected exception (that goes to the log).
import type { z } from "zod";
import type { ValueProblem } from "../control/check-values.ts";

export interface ErrorBody {
  readonly error: {
    readonly what: string;
    readonly where: string;
    readonly expected: string;
    /** All of them, when there are several. */
    readonly problems?: readonly ValueProblem[];
  };
}

export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 500 | 502 | 503;

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: ErrorStatus;
  readonly body: ErrorBody;

  constructor(
    status: ErrorStatus,
    what: string,
    where: string,
    expected: string,
    problems?: readonly ValueProblem[],
  ) {
    super(`${where}: ${what}`);
    this.status = status;
    this.body = { error: { what, where, expected, ...(problems === undefined ? {} : { problems }) } };
  }
}

/** 400 that names every key at fault. `source`: "body" or "query". */
export function fromZod(error: z.ZodError, source: string): ApiError {
  const problems = error.issues.map((issue) => ({
    what: issue.message,
    where: [source, ...issue.path.map(String), ...unknownKeys(issue)].join("."),
    expected: expectedOf(issue),
  }));
  return fromProblems(problems);
}

/** At least one problem. */
export function fromProblems(problems: readonly ValueProblem[]): ApiError {
  const first = problems[0]!;
  return new ApiError(400, first.what, first.where, first.expected, problems);
}

const unknownKeys = (issue: z.core.$ZodIssue): string[] =>
  issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];

function expectedOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.expected;
    case "unrecognized_keys":
      return "only the keys of the OpenAPI document";
    case "too_big":
      return `at most ${issue.maximum}`;
    case "too_small":
      return `at least ${issue.minimum}`;
    case "invalid_value":
      return issue.values.map(String).join(", ");
    default:
      return issue.message;
  }
}
