/**
 * Byte offsets of the header fields of a record batch, as specified in docs/format/record-batch.md.
 * They are part of the disk and wire format and never change within format version 1.
 */
export const MAGIC = [0x4c, 0x53, 0x42] as const;
export const FORMAT_VERSION = 1;
/** The first bytes of every batch of this format version. */
export const FORMAT_MARK: Uint8Array = Uint8Array.of(...MAGIC, FORMAT_VERSION);

// Server half: filled in when a partition accepts the batch.
export const MAGIC_OFFSET = 0;
export const FORMAT_VERSION_OFFSET = MAGIC_OFFSET + 3;
export const BATCH_LENGTH_OFFSET = FORMAT_VERSION_OFFSET + 1;
export const BASE_OFFSET_OFFSET = BATCH_LENGTH_OFFSET + 4;
export const APPEND_TIME_OFFSET = BASE_OFFSET_OFFSET + 8;
export const FLUSHED_UP_TO_OFFSET = APPEND_TIME_OFFSET + 8;
export const SERVER_CRC_OFFSET = FLUSHED_UP_TO_OFFSET + 8;

// Producer half: written once when the batch is sealed, never changed.
export const PRODUCER_CRC_OFFSET = SERVER_CRC_OFFSET + 4;
export const PRODUCER_ID_OFFSET = PRODUCER_CRC_OFFSET + 4;
export const BASE_TIMESTAMP_OFFSET = PRODUCER_ID_OFFSET + 8;
export const BASE_SEQUENCE_OFFSET = BASE_TIMESTAMP_OFFSET + 8;
export const RECORD_COUNT_OFFSET = BASE_SEQUENCE_OFFSET + 4;
export const RECORDS_LENGTH_OFFSET = RECORD_COUNT_OFFSET + 4;
export const PRODUCER_EPOCH_OFFSET = RECORDS_LENGTH_OFFSET + 4;
export const COMPRESSION_OFFSET = PRODUCER_EPOCH_OFFSET + 2;
export const RESERVED_OFFSET = COMPRESSION_OFFSET + 1;

/** Length of the header: the records start here. */
export const HEADER_LENGTH = RESERVED_OFFSET + 1;

/** Length of the smallest record: a null key, an empty value, no headers. */
export const MIN_RECORD_LENGTH = 3;
/** Length of the shortest batch, in bytes: a header and one minimal record. */
export const MIN_BATCH_LENGTH = HEADER_LENGTH + MIN_RECORD_LENGTH;

/** Producer id of a batch without idempotence. */
export const NO_PRODUCER_ID = -1;
