import { type ErrorCode, LogStoreError } from "@logstore/codec";
import { CliError } from "./cli-error.js";
import { type ExitCode, exitCodes } from "./exit-codes.js";

/** An error as shown to the user: as text, or as JSON with the same field names. */
export interface DescribedError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly fields?: object | undefined;
  readonly exitCode: ExitCode;
}

interface Advice {
  readonly exitCode: ExitCode;
  readonly hint?: string;
}

const { notFound, unavailable, refused, usage } = exitCodes;

/** Codes that have an exit code or a hint of their own; every other one is a failure. */
const advice: Partial<Record<ErrorCode, Advice>> = {
  UNKNOWN_TOPIC: { exitCode: notFound, hint: "logstore topics list shows the topics that there are" },
  UNKNOWN_PARTITION: { exitCode: notFound, hint: "logstore topics describe TOPIC shows its partitions" },
  UNKNOWN_GROUP: { exitCode: notFound, hint: "logstore groups list shows the groups that there are" },
  UNKNOWN_SNAPSHOT: { exitCode: notFound, hint: "logstore snapshots list shows the snapshots that there are" },
  UNAVAILABLE: { exitCode: unavailable },
  DELIVERY_TIMEOUT: { exitCode: unavailable },
  UNAUTHENTICATED: { exitCode: refused, hint: "give a token with --token-file, LOGSTORE_TOKEN or a profile" },
  PERMISSION_DENIED: { exitCode: refused, hint: "the server's access rules must allow this to the token's principal" },
  QUOTA_EXCEEDED: { exitCode: refused },
  RESOURCE_LIMIT_EXCEEDED: { exitCode: refused },
  GROUP_LIMIT_EXCEEDED: { exitCode: refused },
  INVALID_ARGUMENT: { exitCode: usage },
};

export function describeError(error: unknown): DescribedError {
  if (error instanceof CliError) {
    const { code, message, hint, exitCode } = error;
    return { code, message, hint, exitCode };
  }
  if (error instanceof LogStoreError) {
    const { code, message, fields } = error;
    return { code, message, fields, exitCode: exitCodes.failed, ...advice[code] };
  }
  const { code, message = String(error) } = Object(error) as NodeJS.ErrnoException;
  return { code: typeof code === "string" ? code : "FAILED", message, exitCode: exitCodes.failed };
}
