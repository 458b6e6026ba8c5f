/** A lock that the kernel releases when the process ends. */
export interface KernelLock {
  /**
   * Whether the name in the directory still means this lock. Where it does not, another process may
   * have the directory.
   */
  isHeld(): boolean;
  release(): Promise<void>;
}
