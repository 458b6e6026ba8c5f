/**
 * The longest buffer that is freed at the start, in bytes. glibc then keeps up to twice as much of
 * the memory that is freed later.
 */
const LONGEST_BYTES = 16 * 1024 * 1024;

/**
 * Makes glibc keep the memory of messages that are freed. By default it returns it to the kernel,
 * and each page costs a page fault when the next message is received into it. glibc adapts this
 * threshold to the longest buffer that was freed; other libraries are not affected. See
 * docs/decisions/0034-messages-are-received-in-place.md.
 */
export function keepFreedMemory(): void {
  new ArrayBuffer(LONGEST_BYTES).transfer(0); // its pages are never touched
}
