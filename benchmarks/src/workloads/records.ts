/** The records used in all measurements: 100 bytes of key and value. */
const KEY_BYTES = 10;
const VALUE_BYTES = 90;

export const RECORDS_PER_BATCH = 1_000;

export const record = {
  key: Buffer.alloc(KEY_BYTES, "k"),
  value: Buffer.alloc(VALUE_BYTES, "v"),
  timestamp: 1_700_000_000_000,
};

export const batchOfRecords = Array.from({ length: RECORDS_PER_BATCH }, () => record);
