import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import type { Context } from "../../command/context.js";
import { UsageError } from "../../errors/cli-error.js";
import { checkProfileName, type Profile, seedsOf } from "../../place/profile.js";
import { readProfiles, writeProfiles } from "../../place/profile-file.js";

interface Options {
  readonly server?: string;
  readonly data?: string;
  readonly tls?: boolean;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly tokenFile?: string;
  readonly tokenStdin?: boolean;
  readonly use?: boolean;
}

export async function run({ output, environment, stdin }: Context, options: Options, name: string): Promise<void> {
  checkProfileName(name);
  const profile = checked(options);
  const token = options.tokenStdin ? (await text(stdin)).trim() : undefined;
  if (token === "") throw new UsageError("--token-stdin: there was no token on stdin");
  const { current, profiles } = await readProfiles(environment);
  const used = options.use ? name : current;
  await writeProfiles(environment, {
    ...(used !== undefined && { current: used }),
    profiles: { ...profiles, [name]: { ...profile, ...(token !== undefined && { token }) } },
  });
  await output.result({ profile: name, isCurrent: used === name }, () =>
    used === name ? `profile ${name} is set, and the current one` : `profile ${name} is set`,
  );
}

/**
 * File names become absolute, because the profile is used from other directories. @throws
 * UsageError
 */
function checked(options: Options): Profile {
  const { server, data, tls, caFile, certFile, keyFile, tokenFile, tokenStdin } = options;
  const files = Object.entries({ caFile, certFile, keyFile }).filter(([, file]) => file !== undefined);
  const hasTls = tls === true || files.length > 0;
  if ((server === undefined) === (data === undefined)) {
    throw new UsageError("a profile names either --server or --data");
  }
  if (tokenFile !== undefined && tokenStdin) throw new UsageError("--token-file and --token-stdin: leave one out");
  const hasToken = tokenFile !== undefined || tokenStdin === true;
  if (data !== undefined) {
    if (hasTls || hasToken) throw new UsageError("a data directory has neither TLS nor a token");
    return { data: resolve(data) };
  }
  if (hasToken && !hasTls) throw new UsageError("a token is only sent over TLS", { hint: "add --tls or --ca-file" });
  return {
    server: seedsOf(server!, "--server").join(","),
    ...(hasTls && { tls: files.length === 0 || Object.fromEntries(files.map(([key, file]) => [key, resolve(file!)])) }),
    ...(tokenFile !== undefined && { tokenFile: resolve(tokenFile) }),
  };
}
