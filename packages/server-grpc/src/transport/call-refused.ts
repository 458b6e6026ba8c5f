/** Told of a call that the server ended for what its peer did. */
export type CallRefused = (peer: string, method: string, reason: string) => void;
