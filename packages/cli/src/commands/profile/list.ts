import type { Context } from "../../command/context.js";
import { placeName } from "../../place/place.js";
import { placeOfProfile } from "../../place/profile.js";
import { profileFile, readProfiles } from "../../place/profile-file.js";

export async function run({ output, environment }: Context): Promise<void> {
  const { current, profiles } = await readProfiles(environment);
  const rows = Object.entries(profiles).map(([name, profile]) => {
    const place = placeOfProfile(profile, `profile ${name}`);
    const { tls = undefined, token = undefined } = place.kind === "server" ? place : {};
    return {
      profile: name,
      isCurrent: name === current,
      kind: place.kind,
      place: placeName(place),
      tls: tls !== undefined,
      token: token !== undefined,
    };
  });
  await output.list(
    rows,
    [
      { title: "", value: ({ isCurrent }) => (isCurrent ? "*" : " "), format: () => "green" },
      { title: "PROFILE", value: ({ profile }) => profile },
      { title: "PLACE", value: ({ place }) => place, minWidth: 16 },
      { title: "KIND", value: ({ kind }) => kind },
      { title: "TLS", value: ({ tls }) => (tls ? "yes" : undefined) },
      { title: "TOKEN", value: ({ token }) => (token ? "yes" : undefined) },
    ],
    `there are no profiles in ${profileFile(environment)}; logstore profile set NAME --server HOST:PORT makes one`,
  );
}
