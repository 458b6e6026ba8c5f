/**
 * Converts system errors to LogStore errors, so that callers of the engine need not know system
 * error codes.
 */
import { type ErrorFields, LogStoreError, StorageFailedError } from "@logstore/codec";
import { adviceOf, attemptOf, reasonOf } from "./io-trouble.js";

/**
 * @param what what failed, such as "topic t cannot be created"
 * @returns the error itself if it is a LogStoreError already
 */
export function storageError(error: unknown, what: string, fields: ErrorFields = {}): LogStoreError {
  if (error instanceof LogStoreError) return error;
  const message = `${what}: ${reasonOf(error)}; ${adviceOf(error)}`;
  return new StorageFailedError(message, { file: attemptOf(error)?.file, ...fields }, { cause: error });
}

export async function withStorageErrors<T>(what: string, work: () => Promise<T>, fields?: ErrorFields): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageError(error, what, fields);
  }
}
