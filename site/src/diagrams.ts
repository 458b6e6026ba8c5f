/**
 * Diagrams are SVG files beside the pages. The code host shows each as an image, in the colours of
 * its own style element; the site puts it into the page, in the colours of the site, dark or light.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { MarkdownOptions } from "vitepress";

export const withDiagrams: NonNullable<MarkdownOptions["config"]> = (markdown) => {
  const asImage = markdown.renderer.rules.image!;
  markdown.renderer.rules.image = (tokens, index, options, env, self) => {
    const token = tokens[index]!;
    const source = token.attrGet("src") ?? "";
    if (!/^[^:]*\.svg$/.test(source)) return asImage(tokens, index, options, env, self);
    const svg = readFileSync(join(dirname(env.path), source), "utf8").replaceAll(/<(style|title)>[\s\S]*?<\/\1>/g, "");
    const label = markdown.utils.escapeHtml(token.content);
    return `<span class="diagram" v-pre>${svg.replace("<svg ", `<svg aria-label="${label}" `).replaceAll("\n", "")}</span>`;
  };
};
