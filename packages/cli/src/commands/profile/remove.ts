import type { Context } from "../../command/context.js";
import { profileNamed } from "../../place/profile.js";
import { readProfiles, writeProfiles } from "../../place/profile-file.js";

export async function run({ output, environment }: Context, _options: object, name: string): Promise<void> {
  const before = await readProfiles(environment);
  profileNamed(before, name, "the command line");
  const { [name]: _removed, ...profiles } = before.profiles;
  const { current } = before;
  await writeProfiles(environment, { ...(current !== undefined && current !== name && { current }), profiles });
  await output.result({ profile: name, removed: true }, () =>
    current === name
      ? `removed profile ${name}, which was the current one: there is none now`
      : `removed profile ${name}`,
  );
}
