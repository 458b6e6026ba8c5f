/** Sends the records of an input to a topic, and tracks up to which line they are stored. */
import type { Producer } from "@logstore/client";
import type { ImportedRecord, ImportPiece } from "../records/imported-record.js";

/** Options of {@link importRecords}. */
export interface ImportOptions {
  readonly signal: AbortSignal;
  /** Whether a record goes to the partition that its line names, rather than to that of its key. */
  readonly keepPartitions: boolean;
  /** Number of lines at the beginning of the input that are stored already. Default 0. */
  readonly skippedLines?: number;
  /** Called when more of the input is stored. */
  readonly onStored?: (records: number, bytes: number) => void;
}

/** How an import ended. */
export interface ImportOutcome {
  /** The records of all lines up to this one are stored. */
  readonly storedLine: number;
  /** Records of the lines between `storedLine` and this one may be stored or not. */
  readonly sentLine: number;
  /** Number of records that are known to be stored. */
  readonly records: number;
  /** The reason that the import ended before its input. */
  readonly failure: { readonly error: unknown } | undefined;
}

/**
 * Pieces are sent in order, without waiting for the acknowledgements of previous ones. The
 * producer's buffer bounds the number of pieces in flight. Nothing is sent after a failure.
 */
export async function importRecords(
  pieces: AsyncIterable<ImportPiece>,
  producer: Producer,
  { signal, keepPartitions, skippedLines = 0, onStored }: ImportOptions,
): Promise<ImportOutcome> {
  let failure: ImportOutcome["failure"];
  let storedLine = skippedLines;
  let sentLine = skippedLines;
  let records = 0;
  let stored: Promise<void> = Promise.resolve();
  const fail = (error: unknown) => {
    failure ??= { error };
  };

  /** Resolves when everything up to the end of the piece is stored. */
  const settled = async (before: Promise<void>, sending: Promise<{ readonly count: number }>, piece: ImportPiece) => {
    const [{ count }] = await Promise.all([sending, before]);
    storedLine = Math.max(storedLine, piece.lastLine);
    records += count;
    onStored?.(count, piece.bytes);
  };

  function* pulled(piece: ImportPiece, end: () => void): Generator<ImportedRecord, void> {
    try {
      for (const record of piece) {
        if (signal.aborted) return;
        yield keepPartitions ? record : { ...record, partition: undefined };
      }
    } catch (error) {
      fail(error); // the records before the failure are still sent
    } finally {
      end();
    }
  }

  try {
    for await (const piece of pieces) {
      const { promise: isPulled, resolve } = Promise.withResolvers<void>();
      const sending = producer.sendMany(pulled(piece, resolve)).finally(resolve);
      stored = settled(stored, sending, piece);
      stored.catch(fail);
      await isPulled;
      sentLine = Math.max(sentLine, piece.lastLine);
      if (failure !== undefined || signal.aborted) break;
    }
  } catch (error) {
    fail(error);
  }
  await stored.catch(fail);
  if (signal.aborted) fail(signal.reason);
  return { storedLine, sentLine, records, failure };
}
