/**
 * A plugin of typedoc. A module is named as it is imported, without the scope. A class is described
 * by its own members; inherited ones are on the page of the base class.
 */
import { Converter, ReflectionKind } from "typedoc";

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const reflection of Object.values(project.reflections)) {
      if (reflection.inheritedFrom !== undefined) project.removeReflection(reflection);
      if (reflection.kindOf(ReflectionKind.Module)) reflection.name = reflection.name.replace(/\/src\b/, "");
    }
  });
}
