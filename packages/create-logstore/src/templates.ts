/** The templates, as they are offered. Each is a folder of `templates/`. */
export const TEMPLATES = [
  { name: "event-sourcing", what: "accounts that are the sum of their events, in a log of this process" },
  { name: "queue", what: "a work queue: workers in a group, retries, jobs that keep failing are parked" },
  { name: "web-log", what: "an HTTP server that logs its requests, and statistics that follow the log" },
] as const;

export type TemplateName = (typeof TEMPLATES)[number]["name"];

export function isTemplate(name: string): name is TemplateName {
  return TEMPLATES.some((template) => template.name === name);
}

export const templateNames = TEMPLATES.map(({ name }) => name).join(", ");
