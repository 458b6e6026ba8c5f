/**
 * What the disk says, as an error of ours: whoever calls the engine need not know the system's
 * codes.
 */
import { type ErrorFields, LogStoreError, StorageFailedError } from "@logstore/codec";
import { adviceOf, attemptOf, reasonOf } from "./io-trouble.js";

/**
 * @param what could not be done: "topic t cannot be created"
 * @returns the error itself where it is ours already
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
