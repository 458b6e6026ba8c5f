/**
 * UTF-8 without an allocation per string: keys and small values are mostly short and mostly ASCII.
 */
import { platform } from "#platform";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Up to this length a loop is faster than a call into the run-time. */
const LOOP_UP_TO_LENGTH = 24;

/**
 * Length of `text` in UTF-8, in bytes. A lone surrogate counts as U+FFFD, which is written in its
 * place.
 */
export function utf8Length(text: string): number {
  if (text.length > LOOP_UP_TO_LENGTH && platform.utf8Length !== undefined) return platform.utf8Length(text);
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    length += unit < 0x800 ? 1 : 2;
    if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) i++; // a surrogate pair: 2 UTF-16 units, 4 bytes
  }
  return length;
}

/**
 * Writes `text`, whose {@link utf8Length} is `byteLength`, at `bytes[at]` of a buffer that the
 * platform allocated.
 */
export function writeUtf8(bytes: Uint8Array, at: number, text: string, byteLength: number): void {
  if (byteLength === text.length && byteLength <= LOOP_UP_TO_LENGTH) {
    for (let i = 0; i < byteLength; i++) bytes[at + i] = text.charCodeAt(i);
  } else {
    platform.writeUtf8(bytes, at, text, byteLength);
  }
}

export function readUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
