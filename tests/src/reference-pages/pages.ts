/** Pages of docs/reference that are generated from the code. */
import { configurationPage } from "./configuration.ts";
import { errorsPage } from "./errors.ts";

export const referencePages: readonly { readonly file: string; readonly make: () => string }[] = [
  { file: "docs/reference/configuration.md", make: configurationPage },
  { file: "docs/reference/errors.md", make: errorsPage },
];
