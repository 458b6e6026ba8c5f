/** A process that does nothing, to measure the cost of starting Node. */
console.log(JSON.stringify({ rssBytes: process.memoryUsage.rss() }));
