import type { Context } from "../../command/context.js";
import type { Place } from "../../place/place.js";
import { placeName } from "../../place/place.js";
import { placeOfProfile, profileNamed } from "../../place/profile.js";
import { readProfiles } from "../../place/profile-file.js";

/** Tokens are never shown. */
export async function run(context: Context, _options: object, name: string | undefined): Promise<void> {
  const place = name === undefined ? await context.place() : await placeOf(context, name);
  const { kind, origin } = place;
  const shown = { kind, place: placeName(place), ...connection(place), origin };
  const { output } = context;
  await output.result(shown, () =>
    Object.entries(shown)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${output.style("bold", key.padEnd(9))} ${value}`),
  );
}

async function placeOf({ environment }: Context, name: string): Promise<Place> {
  const profile = profileNamed(await readProfiles(environment), name, "the command line");
  return placeOfProfile(profile, `profile ${name}`);
}

function connection(place: Place): Record<string, string | undefined> {
  if (place.kind === "directory") return {};
  const { tls, token } = place;
  return {
    tls: tls === undefined ? "no" : "yes",
    caFile: tls?.caFile,
    certFile: tls?.certFile,
    keyFile: tls?.keyFile,
    token: token === undefined ? "none" : "token" in token ? "kept here" : `in ${token.tokenFile}`,
  };
}
