/** What the sidebars list. */
import { globSync } from "node:fs";
import { basename } from "node:path";
import type { DefaultTheme } from "vitepress";
import { apiModules } from "./api-modules.mjs";
import { addressOf, pages, staged } from "./pages.ts";

type Item = DefaultTheme.SidebarItem;

/** The last two are made when the site is staged. */
const known = new Set([...pages.values(), "reference/cli.md", "api/index.md"].map(addressOf));

export const sidebar: Item[] = checked([
  {
    text: "Start",
    items: [
      { text: "Getting started", link: "/getting-started" },
      { text: "Concepts", link: "/concepts" },
      { text: "When not to use it", link: "/guides/when-not-to-use-it" },
      { text: "Comparison", link: "/comparison" },
      { text: "Performance", link: "/performance" },
    ],
  },
  {
    text: "Guides",
    items: [
      { text: "Embedding", link: "/guides/embedding" },
      { text: "Serving", link: "/guides/serving" },
      { text: "Consumer groups", link: "/guides/groups" },
      { text: "Event sourcing", link: "/guides/event-sourcing" },
      { text: "Queues, retries, parking", link: "/guides/queues" },
      { text: "Exactly-once results", link: "/guides/exactly-once" },
      { text: "Testing", link: "/guides/testing" },
      { text: "Browsers and bundlers", link: "/guides/browsers-and-bundlers" },
      { text: "Bun and Deno", link: "/guides/bun-and-deno" },
    ],
  },
  {
    text: "Running it",
    items: [
      { text: "TLS and tokens", link: "/guides/tls-and-tokens" },
      { text: "Monitoring", link: "/guides/monitoring" },
      { text: "Backing up", link: "/guides/backing-up" },
      { text: "Finding a fault", link: "/fault-finding" },
      { text: "Operations", link: "/operations" },
      { text: "Cluster", link: "/cluster" },
      { text: "Security", link: "/security" },
      { text: "Durability", link: "/durability" },
      { text: "Compatibility", link: "/compatibility" },
      { text: "Works with", link: "/works-with" },
    ],
  },
  {
    text: "Coming from",
    items: [
      { text: "Kafka", link: "/guides/from-kafka" },
      { text: "NATS JetStream", link: "/guides/from-jetstream" },
      { text: "Redis Streams", link: "/guides/from-redis-streams" },
      { text: "KurrentDB", link: "/guides/from-kurrentdb" },
    ],
  },
  {
    text: "Reference",
    items: [
      { text: "Client", link: "/client" },
      { text: "Configuration", link: "/reference/configuration" },
      { text: "Errors", link: "/reference/errors" },
      { text: "Protocol", link: "/protocol" },
      { text: "Command line", link: "/reference/cli" },
      { text: "API", link: "/api/" },
    ],
  },
  { text: "Packages", items: listed("packages/*.md") },
  { text: "Formats", items: listed("format/*.md") },
  {
    text: "Inside",
    items: [
      { text: "Architecture", link: "/architecture" },
      { text: "Engines", link: "/engines" },
      { text: "Decisions", link: "/decisions/" },
      { text: "All pages", link: "/all-pages" },
    ],
  },
]);

/** @throws an error for a page that does not exist, or that is listed twice */
function checked(groups: Item[]): Item[] {
  const links = groups.flatMap(({ items = [] }) => items.map(({ link }) => link!));
  const wrong = links.filter((link, index) => !known.has(link) || links.indexOf(link) !== index);
  if (wrong.length > 0) throw new Error(`the sidebar lists pages twice, or that do not exist: ${wrong.join(", ")}`);
  return groups;
}

function listed(pattern: string): Item[] {
  return globSync(pattern, { cwd: staged })
    .toSorted()
    .map((page) => ({ text: basename(page, ".md"), link: addressOf(page) }));
}

export const apiSidebar: Item[] = [
  { text: "Documentation", link: "/" },
  {
    text: "API",
    items: apiModules.map((name) => ({ text: `@logstore/${name}`, link: `/api/${name}/` })),
  },
];
