/** The public keys that verify tokens, from any source. */
import { createPublicKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { InvalidArgumentError } from "@logstore/codec";
import { createLocalJWKSet, createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from "jose";
import type { JwtConfig } from "./access-config.js";

/**
 * Pause after a failed fetch of keys: otherwise tokens with invented key ids would cause continuous
 * fetching.
 */
const FETCH_PAUSE_MS = 5_000;

/** The keys are unavailable, so that the token cannot be checked. */
export class KeysUnavailable extends Error {}

/**
 * Keys from a file are read once. Keys behind a URL are fetched on first use, and again after ten
 * minutes or for an unknown key id.
 *
 * @throws InvalidArgumentError if a file cannot be read or contains no keys
 */
export async function openKeys(
  config: JwtConfig,
  onTrouble: (message: string, cause: unknown) => void,
): Promise<JWTVerifyGetKey> {
  const { jwksFile, jwksUrl, publicKeyFile } = config;
  if (jwksUrl !== undefined) return fetchedKeys(new URL(jwksUrl), onTrouble);
  const [key, file] = jwksFile === undefined ? ["publicKeyFile", publicKeyFile!] : ["jwksFile", jwksFile];
  try {
    const text = await readFile(file, "utf8");
    if (jwksFile !== undefined) return createLocalJWKSet(JSON.parse(text));
    const publicKey = createPublicKey(text);
    return async () => publicKey;
  } catch (cause) {
    throw new InvalidArgumentError(`access.jwt.${key} ${file}: ${(cause as Error).message}`, { file }, { cause });
  }
}

function fetchedKeys(url: URL, onTrouble: (message: string, cause: unknown) => void): JWTVerifyGetKey {
  let pausedUntil = 0;
  const keys = createRemoteJWKSet(url, {
    [customFetch]: async (address, options) => {
      if (performance.now() < pausedUntil) throw new KeysUnavailable("the keys could not be fetched a moment ago");
      try {
        const response = await fetch(address, options);
        if (response.status === 200) return response;
        throw new Error(`it answers ${response.status}`);
      } catch (cause) {
        pausedUntil = performance.now() + FETCH_PAUSE_MS;
        onTrouble(
          `access.jwt.jwksUrl ${url}: no keys, so tokens signed with others are refused: ${whyOf(cause)}`,
          cause,
        );
        throw new KeysUnavailable("the keys could not be fetched", { cause });
      }
    },
  });
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      if (error instanceof errors.JOSENotSupported) throw error;
      throw error instanceof KeysUnavailable ? error : new KeysUnavailable("the keys are not usable", { cause: error });
    }
  };
}

function whyOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
