import { describe, expect, test } from "vitest";
import { type Compressor, RecordBatch, RecordBatchBuilder, registerCompression } from "./index.js";

const code = (code: string) => expect.objectContaining({ code });
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A codec that "compresses" to `length` bytes and remembers the records instead. */
function remember(length: number): Compressor & { asked: number[] } {
  let kept = new Uint8Array();
  const asked: number[] = [];
  return {
    asked,
    compress: (bytes) => {
      kept = Uint8Array.from(bytes);
      return new Uint8Array(length);
    },
    decompress: (_, maxBytes) => {
      asked.push(maxBytes);
      return kept;
    },
  };
}

function seal(compression: string, value = "value ".repeat(20)): RecordBatch {
  const builder = new RecordBatchBuilder({ compression });
  builder.append(null, value, 0);
  return RecordBatch.parse(builder.seal()).verify();
}

describe("a registered compression", () => {
  test("is used under its name and gets the output limit", () => {
    const own = remember(5);
    registerCompression(64, "own", own);
    const batch = seal("own");
    expect([batch.compression, batch.byteLength]).toEqual(["own", 77]);
    expect(text([...batch][0]!.value)).toBe("value ".repeat(20));
    expect(own.asked).toEqual([batch.recordsLength]);
  });

  test.each([
    ["sound", (bytes: Uint8Array) => bytes, undefined],
    ["damaged", (bytes: Uint8Array) => bytes.fill(0xff), "CORRUPT_BATCH"],
    ["too short", (bytes: Uint8Array) => bytes.subarray(1), "CORRUPT_BATCH"],
  ])("on another thread frees its memory when the records are checked: %s", async (what, changed, expected) => {
    let released = 0;
    const own = remember(5);
    const release = () => void released++;
    const decompressLater = async (bytes: Uint8Array, maxBytes: number) => {
      return { bytes: changed(Uint8Array.from(own.decompress(bytes, maxBytes))), release };
    };
    registerCompression(90, "own, later", { ...own, decompressLater });
    const checked = seal("own, later").checkRecordsLater(async () => expect(released).toBe(0));
    if (expected === undefined) await checked;
    else await expect(checked, what).rejects.toEqual(code(expected));
    expect(released).toBe(1);
  });

  test.each([0, 2])("that leaves %d bytes is not used, because no batch is so short", (length) => {
    registerCompression(65, "tiny", remember(length));
    const batch = seal("tiny");
    expect(batch.compression).toBe("none");
    expect([...batch]).toHaveLength(1);
  });

  test("that throws or returns too few bytes is reported as a corrupt batch", () => {
    const broken = remember(5);
    registerCompression(66, "broken", broken);
    const batch = seal("broken");
    broken.decompress = () => new Uint8Array(3);
    expect(() => [...batch]).toThrow(expect.objectContaining({ code: "CORRUPT_BATCH", actual: 3 }));
    const cause = new RangeError("no");
    broken.decompress = () => {
      throw cause;
    };
    expect(() => [...batch]).toThrow(expect.objectContaining({ code: "CORRUPT_BATCH", cause }));
  });

  test("can be registered again under the same name", () => {
    registerCompression(67, "again", remember(5));
    const second = remember(6);
    registerCompression(67, "again", second);
    expect(seal("again").byteLength).toBe(78);
  });

  test.each([
    [1, "not gzip"],
    [3, "reserved"],
    [63, "reserved"],
    [64.5, "no whole number"],
    [128, "reserved"],
    [0, "none"],
    [70, "none"],
    [71, "gzip"],
    [72, "taken"],
    [73, "another name"],
  ])("cannot be registered as %d, %s", (id, name) => {
    registerCompression(73, "taken", remember(5));
    expect(() => registerCompression(id, name, remember(5))).toThrow(code("INVALID_ARGUMENT"));
  });
});

test("gzip can be supplied by the application", () => {
  const own = remember(9);
  registerCompression(1, "gzip", own);
  const batch = seal("gzip");
  expect([batch.compression, batch.byteLength]).toEqual(["gzip", 81]);
});
