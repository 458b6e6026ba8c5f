/** What typedoc documents, and how: one page a member, in Markdown, for VitePress. */
const modules = ["client", "core", "core/testing/index", "core/engine", "server-grpc", "codec", "protocol"];

export default {
  entryPoints: modules.map((module) => {
    const [name, ...inside] = module.split("/");
    return `../packages/${name}/src/${inside.length === 0 ? "index" : inside.join("/")}.ts`;
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
