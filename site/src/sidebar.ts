/** What the sidebars list. */
import { globSync } from "node:fs";
import { basename } from "node:path";
import type { DefaultTheme } from "vitepress";
import { addressOf, pages, staged } from "./pages.ts";

type Item = DefaultTheme.SidebarItem;

const known = new Set([...pages.values()].map(addressOf));
const existing = (items: readonly Item[]) => items.filter(({ link }) => link === undefined || known.has(link));

export const sidebar: Item[] = [
  {
    text: "Start",
    items: existing([
      { text: "Getting started", link: "/getting-started" },
      { text: "Concepts", link: "/concepts" },
      { text: "When not to use it", link: "/guides/when-not-to-use-it" },
      { text: "Comparison", link: "/comparison" },
      { text: "Works with", link: "/works-with" },
      { text: "Compatibility", link: "/compatibility" },
    ]),
  },
  {
    text: "Guides",
    items: existing([
      { text: "Embedding", link: "/guides/embedding" },
      { text: "Serving", link: "/guides/serving" },
      { text: "Consumer groups", link: "/guides/groups" },
      { text: "Event sourcing", link: "/guides/event-sourcing" },
      { text: "Queues, retries, parking", link: "/guides/queues" },
      { text: "Exactly-once results", link: "/guides/exactly-once" },
      { text: "Testing", link: "/guides/testing" },
      { text: "Browsers and bundlers", link: "/guides/browsers-and-bundlers" },
      { text: "Bun and Deno", link: "/guides/bun-and-deno" },
    ]),
  },
  {
    text: "Running it",
    items: existing([
      { text: "TLS and tokens", link: "/guides/tls-and-tokens" },
      { text: "Monitoring", link: "/guides/monitoring" },
      { text: "Backing up", link: "/guides/backing-up" },
      { text: "Finding a fault", link: "/fault-finding" },
      { text: "The command logstore", link: "/cli" },
      { text: "Operations", link: "/operations" },
      { text: "Security", link: "/security" },
      { text: "Durability", link: "/durability" },
      { text: "Compatibility", link: "/compatibility" },
      { text: "Works with", link: "/works-with" },
    ]),
  },
  {
    text: "Coming from",
    items: existing([
      { text: "Kafka", link: "/guides/from-kafka" },
      { text: "NATS JetStream", link: "/guides/from-jetstream" },
      { text: "Redis Streams", link: "/guides/from-redis-streams" },
      { text: "KurrentDB", link: "/guides/from-kurrentdb" },
    ]),
  },
  {
    text: "Reference",
    items: existing([
      { text: "Client", link: "/client" },
      { text: "Configuration", link: "/reference/configuration" },
      { text: "Errors", link: "/reference/errors" },
      { text: "Protocol", link: "/protocol" },
    ]).concat({ text: "Command line", link: "/reference/cli" }, { text: "API", link: "/api/" }),
  },
  { text: "Packages", items: listed("packages/*.md") },
  { text: "Formats", items: listed("format/*.md") },
  {
    text: "Inside",
    items: existing([
      { text: "Architecture", link: "/architecture" },
      { text: "Engines", link: "/engines" },
      { text: "Decisions", link: "/decisions/" },
      { text: "All pages", link: "/all-pages" },
    ]),
  },
];

function listed(pattern: string): Item[] {
  return globSync(pattern, { cwd: staged })
    .toSorted()
    .map((page) => ({ text: basename(page, ".md"), link: addressOf(page) }));
}

/**
 * The modules, in the order in which programs come to need them; the page of each lists its
 * members.
 */
export const apiSidebar: Item[] = [
  { text: "Documentation", link: "/" },
  {
    text: "API",
    items: ["client", "core", "core/testing", "core/engine", "server-grpc", "codec", "protocol"].map((name) => {
      return { text: `@logstore/${name}`, link: `/api/${name}/` };
    }),
  },
];
