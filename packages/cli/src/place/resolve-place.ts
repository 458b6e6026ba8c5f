/**
 * Decides where the log is. The first of these sources that is set determines the place as a whole:
 *
 * 1. `--server` or `--data`, 2. `--profile`, 3. LOGSTORE_SERVER or LOGSTORE_DATA,
 * 4. LOGSTORE_PROFILE, 5. the current profile, 6. localhost:7411.
 *
 * The options for TLS and the token override those of the place. Variables for TLS and the token do
 * not apply to the place of a profile: a credential that the profile does not contain is not sent
 * to it.
 */

import { UsageError } from "../errors/cli-error.js";
import type { Environment } from "../output/environment.js";
import type { Place, ServerPlace, TlsSettings, TokenSource } from "./place.js";
import { placeOfProfile, profileNamed, seedsOf } from "./profile.js";
import { readProfiles } from "./profile-file.js";

export const DEFAULT_SERVER = "localhost:7411";

/** The options of every command that uses a place. */
export interface PlaceOptions {
  readonly server?: string | undefined;
  readonly data?: string | undefined;
  readonly profile?: string | undefined;
  readonly tls?: boolean | undefined;
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** @throws UsageError */
export async function resolvePlace(options: PlaceOptions, environment: Environment): Promise<Place> {
  const given = (["server", "data", "profile"] as const).filter((name) => options[name] !== undefined);
  if (given.length > 1) {
    throw new UsageError(`${given.map((name) => `--${name}`).join(" and ")} both say where the log is: leave one out`);
  }
  const place = await namedPlace(options, environment);
  if (place.kind === "directory") {
    checkNoConnection(options, place.directory);
    return place;
  }
  return { ...place, ...withOptions(place, options) };
}

async function namedPlace(options: PlaceOptions, environment: Environment): Promise<Place> {
  const { server, data, profile } = options;
  if (server !== undefined) return serverPlace(server, "--server", environment);
  if (data !== undefined) return { kind: "directory", directory: data, origin: "--data" };
  if (profile !== undefined) return profilePlace(profile, "--profile", environment);
  const { LOGSTORE_SERVER, LOGSTORE_DATA, LOGSTORE_PROFILE } = environment;
  if (LOGSTORE_SERVER && LOGSTORE_DATA) {
    throw new UsageError("LOGSTORE_SERVER and LOGSTORE_DATA both say where the log is: unset one", {
      hint: "or give --server, --data or --profile, which come before both",
    });
  }
  if (LOGSTORE_SERVER) return serverPlace(LOGSTORE_SERVER, "LOGSTORE_SERVER", environment);
  if (LOGSTORE_DATA) return { kind: "directory", directory: LOGSTORE_DATA, origin: "LOGSTORE_DATA" };
  if (LOGSTORE_PROFILE) return profilePlace(LOGSTORE_PROFILE, "LOGSTORE_PROFILE", environment);
  const profiles = await readProfiles(environment);
  if (profiles.current !== undefined) return profilePlace(profiles.current, "the current profile", environment);
  return serverPlace(DEFAULT_SERVER, "the default", environment);
}

async function profilePlace(name: string, origin: string, environment: Environment): Promise<Place> {
  const profile = profileNamed(await readProfiles(environment), name, origin);
  return placeOfProfile(profile, `profile ${name}`);
}

function serverPlace(server: string, origin: string, environment: Environment): ServerPlace {
  const { LOGSTORE_TLS, LOGSTORE_CA_FILE, LOGSTORE_CERT_FILE, LOGSTORE_KEY_FILE } = environment;
  const { LOGSTORE_TOKEN, LOGSTORE_TOKEN_FILE } = environment;
  const isOn = LOGSTORE_TLS === undefined || LOGSTORE_TLS === "" ? undefined : LOGSTORE_TLS;
  if (isOn !== undefined && !["true", "false", "1", "0"].includes(isOn)) {
    throw new UsageError(`LOGSTORE_TLS must be true or false, not ${JSON.stringify(isOn)}`);
  }
  const files = tlsOf({
    caFile: LOGSTORE_CA_FILE || undefined,
    certFile: LOGSTORE_CERT_FILE || undefined,
    keyFile: LOGSTORE_KEY_FILE || undefined,
  });
  const token: TokenSource | undefined = LOGSTORE_TOKEN
    ? { token: LOGSTORE_TOKEN }
    : LOGSTORE_TOKEN_FILE
      ? { tokenFile: LOGSTORE_TOKEN_FILE }
      : undefined;
  const isOff = isOn === "false" || isOn === "0";
  const tls = isOff ? undefined : (files ?? (isOn === undefined ? undefined : {}));
  return { kind: "server", seeds: seedsOf(server, origin), tls, token, origin };
}

function withOptions(place: ServerPlace, options: PlaceOptions): Partial<ServerPlace> {
  const { tls, caFile, certFile, keyFile, tokenFile } = options;
  const files = tlsOf({ caFile, certFile, keyFile });
  if (tls === false && files !== undefined) throw new UsageError("--no-tls contradicts the options for certificates");
  const token = tokenFile === undefined ? place.token : { tokenFile };
  if (tls === false) return { tls: undefined, token };
  if (files !== undefined) return { tls: { ...place.tls, ...files }, token };
  return { tls: place.tls ?? (tls === true ? {} : undefined), token };
}

function tlsOf(settings: TlsSettings): TlsSettings | undefined {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

/** Connection options of the command line must not be ignored silently. */
function checkNoConnection(options: PlaceOptions, directory: string): void {
  const { tls, caFile, certFile, keyFile, tokenFile } = options;
  if ([tls, caFile, certFile, keyFile, tokenFile].every((value) => value === undefined)) return;
  throw new UsageError(`${directory} is a data directory: the options for TLS and tokens are for servers`);
}
