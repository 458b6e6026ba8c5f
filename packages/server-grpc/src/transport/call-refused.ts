/** Called when the server has ended a call because of what its peer did. */
export type CallRefused = (peer: string, method: string, reason: string) => void;
