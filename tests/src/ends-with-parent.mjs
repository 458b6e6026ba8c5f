/**
 * Preloaded into processes that tests start: such a process ends when the one that started it is
 * gone, however that ended. Its stdin is a pipe, which the system closes then.
 */
process.stdin.on("close", () => process.kill(process.pid, "SIGKILL")).resume();
process.stdin.unref();
