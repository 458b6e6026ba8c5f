import type { Context } from "../../command/context.js";
import { profileNamed } from "../../place/profile.js";
import { readProfiles, writeProfiles } from "../../place/profile-file.js";

export async function run({ output, environment }: Context, _options: object, name: string): Promise<void> {
  const before = await readProfiles(environment);
  profileNamed(before, name, "the command line");
  await writeProfiles(environment, { ...before, current: name });
  await output.result({ profile: name, isCurrent: true }, () => `${name} is the current profile`);
}
