/** Headings of the list of commands. */
export const commandGroups = {
  records: "Records:",
  server: "Topics and groups:",
  directory: "Data directories:",
  operation: "Servers:",
  setup: "This command:",
} as const;
