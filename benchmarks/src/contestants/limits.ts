/** The contestants that are limits of the machine: they do the least that any log must do. */
export const LIMITS: readonly string[] = ["raw file", "raw file, for await", "bare gRPC", "copy + CRC", "slice"];
