/** Calls with invalid credentials. */
import { randomBytes } from "node:crypto";
import { Metadata } from "@grpc/grpc-js";
import { generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { type Attack, onGuarded, type Target } from "../attack.ts";
import { bearer, claims, expiredToken, type Guard } from "../guard.ts";
import { type Answer, Stranger } from "../stranger.ts";
import type { Told } from "../told.ts";
import { tally } from "../verdict.ts";

const UNAUTHENTICATED = 16;
const METHOD = "/logstore.v1.AdminService/ListTopics";

const refusal = (reason: RegExp) =>
  ({ refused: "call", method: METHOD, code: "UNAUTHENTICATED", reason }) satisfies Told;
const inOneHour = () => Math.floor(Date.now() / 1_000) + 3_600;

/** Lists the topics, which must be refused with this message. */
async function ask(stranger: Stranger, metadata: Metadata, words: string): Promise<Answer> {
  const answer = await stranger.call(METHOD, Buffer.alloc(0), metadata);
  if (answer.status === UNAUTHENTICATED && answer.message === words) return answer;
  throw new Error(`${metadata.get("authorization")} was answered with ${JSON.stringify(answer)}`);
}

/**
 * One call with a token. The response says only that it is not valid or expired; the log has the
 * exact reason.
 */
function token(
  name: string,
  reason: RegExp,
  tokenOf: (guard: Guard) => string | Promise<string>,
  words = "the token is not valid",
): Attack {
  return onGuarded(name, refusal(reason), async ({ address, onEnd }, guard) => {
    const stranger = new Stranger(address, guard.channel());
    onEnd(() => stranger.close());
    return tally([(await ask(stranger, bearer(await tokenOf(guard)), words)).detail!]);
  });
}

const EXPIRED = "the credentials have expired: call again with newer ones";

const shown: readonly Attack[] = [
  token("expired static token", /have expired/, () => expiredToken, EXPIRED),
  token("expired JWT", /have expired/, (guard) => guard.jwt({ ...claims, exp: 1_600_000_000 }), EXPIRED),
  token("JWT without an expiry", /"exp" claim/, (guard) => guard.jwt(claims)),
  token("JWT that is not valid yet", /"nbf" claim/, (guard) =>
    guard.jwt({ ...claims, nbf: inOneHour(), exp: inOneHour() + 1 }),
  ),
  token("JWT for another audience", /"aud" claim/, (guard) =>
    guard.jwt({ ...claims, aud: "another", exp: inOneHour() }),
  ),
  token("JWT of another issuer", /"iss" claim/, (guard) => guard.jwt({ ...claims, iss: "another", exp: inOneHour() })),
  token("JWT signed with another key", /signature verification failed/, async () => {
    const { privateKey } = await generateKeyPair("ES256");
    return new SignJWT({ ...claims, exp: inOneHour() }).setProtectedHeader({ alg: "ES256" }).sign(privateKey);
  }),
  token("JWT signed with the public key as HS256's secret", /"alg" .* not allowed/, ({ publicKey }) =>
    new SignJWT({ ...claims, exp: inOneHour() }).setProtectedHeader({ alg: "HS256" }).sign(Buffer.from(publicKey)),
  ),
  token('JWT with "alg": "none"', /"alg" .* not allowed|signature/i, () =>
    new UnsecuredJWT({ ...claims, exp: inOneHour() }).encode(),
  ),
  token("JWT whose claims were altered", /signature verification failed/, async (guard) => {
    const [header, , signature] = (await guard.jwt({ ...claims, exp: inOneHour() })).split(".");
    const altered = Buffer.from(JSON.stringify({ ...claims, sub: "owner", exp: inOneHour() })).toString("base64url");
    return [header, altered, signature].join(".");
  }),
];

/**
 * A server without TLS accepts no token, not even a valid one, because it was sent in the clear.
 */
export const plaintextAttacks: readonly Attack[] = [
  onGuarded("a valid token over a connection without TLS", refusal(/over TLS only/), async (target, guard) => {
    const stranger = new Stranger(target.address);
    target.onEnd(() => stranger.close());
    const words = "tokens are accepted over TLS only: this one was readable in transit, replace it";
    return tally([(await ask(stranger, bearer(guard.token("owner")), words)).detail!]);
  }),
];

const GUESSES = 1_000;

function guesses(name: string, tokenOf: (target: Target) => string): Attack {
  return onGuarded(name, { ...refusal(/the token is not valid/), lines: "some" }, async (target, guard) => {
    const stranger = new Stranger(target.address, guard.channel());
    target.onEnd(() => stranger.close());
    const answers: Answer[] = [];
    let left = GUESSES;
    const guess = async () => {
      while (left-- > 0) {
        answers.push(await ask(stranger, bearer(tokenOf(target)), "the token is not valid"));
      }
    };
    await Promise.all(Array.from({ length: 50 }, guess));
    return tally(answers.map(({ detail }) => detail!));
  });
}

export const guessing: readonly Attack[] = [
  guesses("1,000 tokens guessed", () => randomBytes(32).toString("hex")),
  guesses("1,000 JWTs guessed", ({ random }) => {
    const part = (text: string) => Buffer.from(text).toString("base64url");
    const alg = ["ES256", "RS256", "HS256", "none", "x"][Math.floor(random() * 5)];
    const payload = JSON.stringify({ ...claims, exp: inOneHour() });
    return [part(JSON.stringify({ alg })), part(payload), part(String(random()))].join(".");
  }),
];

/** Headers that are not tokens: all are refused with the same message. */
const oddHeaders = ["Basic b3duZXI6b3duZXI=", "Bearer", "Bearer a b", `Bearer ${"x".repeat(8_192)}`];

export const credentials: readonly Attack[] = [
  ...shown,
  onGuarded(
    "other schemes of authorization",
    { ...refusal(/authorization is one header/), lines: oddHeaders.length },
    async ({ address, onEnd }, guard) => {
      const stranger = new Stranger(address, guard.channel());
      onEnd(() => stranger.close());
      const words = 'authorization is one header: "Bearer" and a token';
      const odd = oddHeaders.map((value) => {
        const metadata = new Metadata();
        metadata.set("authorization", value);
        return metadata;
      });
      const answers: Answer[] = [];
      for (const metadata of odd) answers.push(await ask(stranger, metadata, words));
      return tally(answers.map(({ detail }) => detail!));
    },
  ),
];
