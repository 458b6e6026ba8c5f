/**
 * Preloaded into processes that tests start: such a process exits when its parent has exited, for
 * whatever reason, because the system then closes the pipe that is its stdin.
 */
process.stdin.on("close", () => process.kill(process.pid, "SIGKILL")).resume();
process.stdin.unref();
