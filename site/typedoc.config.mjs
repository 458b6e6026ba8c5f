/** What typedoc documents, and how: one page a member, in Markdown, for VitePress. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { apiModules } from "./src/api-modules.mjs";

export default {
  entryPoints: apiModules.map((module) => {
    const [name, inside = ""] = module.split("/");
    const candidates = [`${inside || "index"}.ts`, `${inside}/index.ts`].map(
      (file) => `../packages/${name}/src/${file}`,
    );
    return candidates.find((file) => existsSync(fileURLToPath(new URL(file, import.meta.url))));
  }),
  tsconfig: "tsconfig.typedoc.json",
  plugin: ["typedoc-plugin-markdown", "./src/typedoc-plugin.mjs"],
  out: "pages/api",
  readme: "none",
  disableGit: true,
  disableSources: true,
  excludeExternals: true,
  excludePrivate: true,
  logLevel: "Error",
  router: "member",
  entryFileName: "index",
  hideBreadcrumbs: true,
  hidePageHeader: true,
  hidePageTitle: false,
  useCodeBlocks: true,
  expandParameters: true,
  interfacePropertiesFormat: "list",
  parametersFormat: "table",
  indexFormat: "table",
  pageTitleTemplates: {
    index: "API",
    module: "@logstore/{name}",
    member: ({ rawName }) => rawName.replace(/<.*/s, ""),
  },
};
