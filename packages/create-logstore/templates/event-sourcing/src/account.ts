/** An account: what may happen to it, and what it is after that. Pure functions, no storage. */

/** A fact. Once it is in the log, it does not change. */
export type AccountEvent =
  | { readonly type: "opened"; readonly owner: string }
  | { readonly type: "deposited"; readonly amount: number }
  | { readonly type: "withdrawn"; readonly amount: number };

/** A wish. It becomes an event, or is refused. */
export type Command =
  | { readonly type: "open"; readonly owner: string }
  | { readonly type: "deposit"; readonly amount: number }
  | { readonly type: "withdraw"; readonly amount: number };

export interface Account {
  readonly owner: string;
  readonly balance: number;
}

export class RefusedError extends Error {}

/** @throws RefusedError */
export function decide(account: Account | undefined, command: Command): AccountEvent {
  if (command.type === "open") {
    if (account !== undefined) throw new RefusedError("the account is open already");
    return { type: "opened", owner: command.owner };
  }
  if (account === undefined) throw new RefusedError("there is no such account");
  if (!(command.amount > 0)) throw new RefusedError(`an amount must be above 0, not ${command.amount}`);
  if (command.type === "deposit") return { type: "deposited", amount: command.amount };
  if (command.amount > account.balance) throw new RefusedError(`the balance is ${account.balance}`);
  return { type: "withdrawn", amount: command.amount };
}

export function evolve(account: Account | undefined, event: AccountEvent): Account {
  if (event.type === "opened") return { owner: event.owner, balance: 0 };
  const { owner = "", balance = 0 } = account ?? {};
  return { owner, balance: balance + (event.type === "deposited" ? event.amount : -event.amount) };
}
