#!/usr/bin/env node
/**
 * The command `logstore-server`. The size of the thread pool is read once, when its first thread is
 * needed, and loading an ES module may need one: so this is CommonJS, and sets it before anything
 * else is loaded.
 */

/**
 * Threads for file operations, unless the environment sets a number. Each waits for one operation
 * of a disk, so this is how many partitions can be made durable at the same time. An idle thread
 * takes about 10 kB. See docs/decisions/0026-a-share-of-the-threads.md.
 */
const THREADS = "128";

process.env["UV_THREADPOOL_SIZE"] ||= THREADS;
void import("./command/start.js");
