/** Profiles: places with names. */
import { suggestion } from "@logstore/codec";
import { UsageError } from "../errors/cli-error.js";
import type { Place, TlsSettings } from "./place.js";

/** As in the file of profiles. Either `server` or `data` is set. */
export interface Profile {
  /** Addresses, separated by commas. */
  readonly server?: string | undefined;
  /** A data directory. */
  readonly data?: string | undefined;
  readonly tls?: boolean | TlsSettings | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
}

export interface Profiles {
  /** The profile to use if nothing else determines the place. */
  readonly current?: string | undefined;
  readonly profiles: Readonly<Record<string, Profile>>;
}

const PROFILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** @throws UsageError */
export function checkProfileName(name: string): string {
  if (PROFILE_NAME.test(name)) return name;
  throw new UsageError(`a profile's name has letters, digits, ".", "_" and "-", unlike ${JSON.stringify(name)}`);
}

/** @throws UsageError where there is no profile of that name */
export function profileNamed(profiles: Profiles, name: string, origin: string): Profile {
  if (Object.hasOwn(profiles.profiles, name)) return profiles.profiles[name]!;
  const names = Object.keys(profiles.profiles);
  const known = names.length === 0 ? "there are no profiles yet" : `there are ${names.join(", ")}`;
  throw new UsageError(`${origin} names an unknown profile${suggestion(name, names) || `, ${JSON.stringify(name)}`}`, {
    hint: `${known}; logstore profile set ${name} --server HOST:PORT makes it`,
  });
}

/** Returns the place of a profile. */
export function placeOfProfile(profile: Profile, origin: string): Place {
  const { server, data, tls, token, tokenFile } = profile;
  if (data !== undefined) return { kind: "directory", directory: data, origin };
  return {
    kind: "server",
    seeds: seedsOf(server ?? "", origin),
    tls: tls === true ? {} : tls === false ? undefined : tls,
    token: token !== undefined ? { token } : tokenFile !== undefined ? { tokenFile } : undefined,
    origin,
  };
}

/** @throws UsageError */
export function seedsOf(list: string, origin: string): string[] {
  const seeds = list.split(",").map((seed) => seed.trim());
  if (seeds.every((seed) => seed !== "")) return seeds;
  throw new UsageError(`${origin} must name servers as HOST:PORT, separated by commas, not ${JSON.stringify(list)}`);
}

const isText = (value: unknown) => typeof value === "string" && value !== "";
const tlsKeys: Record<keyof TlsSettings, (value: unknown) => boolean> = {
  caFile: isText,
  certFile: isText,
  keyFile: isText,
};
const profileKeys: Record<keyof Profile, (value: unknown) => boolean> = {
  server: isText,
  data: isText,
  tls: (value) => typeof value === "boolean" || isMapping(value),
  token: isText,
  tokenFile: isText,
};

/** @throws UsageError that names the wrong key */
export function checkedProfiles(value: unknown, file: string): Profiles {
  const { current, profiles = {}, ...rest } = mapping(value, file);
  checkNoMore(rest, ["current", "profiles"], file);
  if (current !== undefined && !isText(current)) throw new UsageError(`${file}: current must be a profile's name`);
  for (const [name, profile] of Object.entries(mapping(profiles, `${file}: profiles`))) {
    const where = `${file}: profile ${name}`;
    checkKeys(mapping(profile, where), profileKeys, where);
    const { server, data, tls } = profile as Profile;
    if (typeof tls === "object") checkKeys(mapping(tls, where), tlsKeys, `${where}: tls`);
    if ((server === undefined) === (data === undefined)) throw new UsageError(`${where} needs either server or data`);
  }
  return { current: current as string | undefined, profiles: profiles as Record<string, Profile> };
}

function checkKeys(
  value: Record<string, unknown>,
  keys: Readonly<Record<string, (value: unknown) => boolean>>,
  where: string,
): void {
  checkNoMore(
    Object.fromEntries(Object.entries(value).filter(([key]) => !Object.hasOwn(keys, key))),
    Object.keys(keys),
    where,
  );
  for (const [key, isRight] of Object.entries(keys)) {
    if (value[key] !== undefined && !isRight(value[key])) {
      throw new UsageError(`${where}: ${key} cannot be ${JSON.stringify(value[key])}`);
    }
  }
}

function checkNoMore(rest: object, known: readonly string[], where: string): void {
  const [key] = Object.keys(rest);
  if (key !== undefined) throw new UsageError(`${where} has an unknown key ${key}${suggestion(key, known)}`);
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function mapping(value: unknown, where: string): Record<string, unknown> {
  if (isMapping(value)) return value;
  throw new UsageError(`${where} must be a JSON object`);
}
