/** A process that does nothing: what starting Node costs. */
console.log(JSON.stringify({ rssBytes: process.memoryUsage.rss() }));
