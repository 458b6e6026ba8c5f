/**
 * Files of the Go LogStore: bytes that it wrote itself, and a writer that shares no code with the
 * importer.
 */
import { type BilogFileReport, importBilog, LogStore, MemoryStorage } from "../src/index.js";
import { values } from "./records.js";

/** Written by the Go program: `Hello World!`, `again`, a record without payload, `a`. */
export const HELLO = hex("00 00 00 00 00 00 00 18  fa 95 12 9c  48 65 6c 6c 6f 20 57 6f 72 6c 64 21");
export const AGAIN = hex("00 00 00 00 00 00 00 11  fa 8a e8 3d  61 67 61 69 6e");
export const EMPTY = hex("00 00 00 00 00 00 00 0c  00 00 00 00");
export const A = hex("00 00 00 00 00 00 00 0d  f9 b2 97 1a  61");

export function hex(digits: string): Buffer {
  return Buffer.from(digits.replace(/#.*/g, "").replace(/\s/g, ""), "hex");
}

/** A record with any payload; its checksum is computed bit by bit. */
export function bilogRecord(payload: Uint8Array): Buffer {
  let crc = 0xffffffff;
  for (const byte of payload) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc % 2 === 0 ? 0 : 0x04c11db7);
  }
  const header = Buffer.alloc(12);
  header.writeBigUInt64BE(BigInt(12 + payload.length));
  header.writeUInt32BE((crc ^ 0xffffffff) >>> 0, 8);
  return Buffer.concat([header, payload]);
}

/** A storage with these files in the directory "go". */
export async function goDirectory(files: Record<string, readonly Uint8Array[]>): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  await storage.makeDirectory("go");
  for (const [name, parts] of Object.entries(files)) {
    const file = await storage.createFile(`go/${name}`);
    await file.write(parts, 0);
    await file.close();
  }
  return storage;
}

/** Imports a single file; returns its report and the values. */
export async function importFile(
  parts: readonly Uint8Array[],
  maxRecordBytes?: number,
): Promise<BilogFileReport & { values: string[] }> {
  await using store = await LogStore.open(":memory:");
  const storage = await goDirectory({ "0.bilog": parts });
  const { files } = await importBilog("go", store, { storage, maxRecordBytes });
  return { ...files[0]!, values: await values(store) };
}
