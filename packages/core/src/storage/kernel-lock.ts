/** A lock that the kernel releases when the process ends. */
export interface KernelLock {
  /**
   * Whether the name in the directory still refers to this lock. If it does not, another process
   * may have locked the directory.
   */
  isHeld(): boolean;
  release(): Promise<void>;
}
