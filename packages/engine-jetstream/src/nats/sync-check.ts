/**
 * Asks NATS servers, at their monitoring ports, whether they sync each message before its
 * acknowledgement.
 */
/** The part of `/varz` that is read. */
interface Varz {
  readonly server_name?: string;
  readonly jetstream?: { readonly config?: { readonly sync_always?: boolean } };
}

export interface SyncAnswers {
  /** The servers that do not sync always: "NATS server n1 (http://host:8222)". */
  readonly without: readonly string[];
  /** Why servers could not be asked. */
  readonly unasked: readonly Error[];
}

/** @param urls of the monitoring ports: `http://host:8222` */
export async function askWhetherSyncsAlways(urls: readonly string[], timeoutMs: number): Promise<SyncAnswers> {
  const without: string[] = [];
  const unasked: Error[] = [];
  await Promise.all(
    urls.map(async (url) => {
      let varz: Varz;
      try {
        varz = await ask(url, timeoutMs);
      } catch (cause) {
        unasked.push(new Error(`the NATS server at ${url} could not be asked whether it syncs always`, { cause }));
        return;
      }
      if (varz.jetstream?.config?.sync_always !== true) without.push(`NATS server ${varz.server_name} (${url})`);
    }),
  );
  return { without, unasked };
}

async function ask(url: string, timeoutMs: number): Promise<Varz> {
  const answer = await fetch(new URL("varz", url.endsWith("/") ? url : `${url}/`), {
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!answer.ok) throw new Error(`${url} answers with status ${answer.status}`);
  return (await answer.json()) as Varz;
}
