/** The packages are ES modules; `require` loads them in CommonJS. */
const { LogStore } = require("@logstore/core");
const { connect } = require("@logstore/client");

async function main() {
  const store = await LogStore.open(":memory:");
  const { offset } = await store.append(null, "Hello");
  await store.close();
  console.log(`required, ${offset}, ${typeof connect}`);
}
main();
