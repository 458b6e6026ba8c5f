import { defineConfig } from "vitepress";
import { withDiagrams } from "../src/diagrams.ts";
import { pages, repository } from "../src/pages.ts";
import { apiSidebar, sidebar } from "../src/sidebar.ts";
import { slugOf } from "../src/slug.ts";

const description = "A partitioned, immutable, append-only log for TypeScript: embedded, or served over gRPC.";

/** Pages whose tables or programs need the room of the outline. */
const WIDE = /^(comparison|reference\/errors|guides\/[\w-]+)\.md$/;

export default defineConfig({
  title: "LogStore",
  description,
  lang: "en",
  srcDir: "pages",
  cleanUrls: true,
  metaChunk: true,
  lastUpdated: false,
  head: [
    ["link", { rel: "icon", type: "image/svg+xml", href: "/logo.svg" }],
    ["meta", { name: "theme-color", content: "#0b6b62" }],
    ["meta", { property: "og:title", content: "LogStore" }],
    ["meta", { property: "og:description", content: description }],
  ],
  vite: { publicDir: "../public", build: { chunkSizeWarningLimit: 4096 } },
  markdown: {
    config: withDiagrams,
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    anchor: { slugify: slugOf },
    toc: { slugify: slugOf },
    languageAlias: { haproxy: "nginx" },
    languageLabel: { text: "" },
  },
  transformPageData({ frontmatter, relativePath }) {
    if (WIDE.test(relativePath)) Object.assign(frontmatter, { aside: false, pageClass: "wide" });
    const file = [...pages].find(([, page]) => page === relativePath)?.[0];
    if (file === undefined) frontmatter["editLink"] = false;
    else frontmatter["source"] = `${repository}/edit/main/${file}`;
  },
  themeConfig: {
    logo: { src: "/logo.svg", alt: "" },
    nav: [
      { text: "Guides", link: "/guides/embedding", activeMatch: "^/(guides|getting-started|operations|security)" },
      { text: "Concepts", link: "/concepts" },
      { text: "Reference", link: "/client", activeMatch: "^/(reference|format|protocol|client)" },
      { text: "API", link: "/api/", activeMatch: "^/api/" },
    ],
    sidebar: { "/api/": apiSidebar, "/": sidebar },
    outline: { level: [2, 3] },
    search: {
      provider: "local",
      options: {
        detailedView: true,
        // A guide comes before the declaration of the same words. The function runs in the page.
        miniSearch: { searchOptions: { boostDocument: (id) => (/^\/(api|decisions)\//.test(id) ? 0.3 : 1) } },
      },
    },
    socialLinks: [{ icon: "github", link: repository, ariaLabel: "The repository" }],
    // The function runs in the page, where nothing of this file is left.
    editLink: { pattern: ({ frontmatter }) => frontmatter["source"], text: "Edit this page" },
    footer: { message: `Released under the <a href="${repository}/blob/main/LICENSE">MIT licence</a>.` },
    docFooter: { prev: "Previous", next: "Next" },
  },
});
