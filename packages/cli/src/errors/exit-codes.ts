/** The exit codes of the command; `check` has its own, those of monitoring plug-ins. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  unavailable: 4,
  refused: 5,
  unconfirmed: 6,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What each code means, for `--help` and the documentation. */
export const exitCodeMeanings: Readonly<Record<ExitCode, string>> = {
  0: "done",
  1: "the command failed",
  2: "wrong command line, variable or profile",
  3: "no such topic, partition, group, snapshot, profile or log store",
  4: "no server answered, or not in time",
  5: "access refused, or a quota or limit exceeded",
  6: "not confirmed: a terminal or --yes was missing",
  130: "interrupted by Ctrl-C",
  143: "ended by SIGTERM",
};
