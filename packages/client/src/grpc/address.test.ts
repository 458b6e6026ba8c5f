import { expect, test } from "vitest";
import { connect } from "../index.js";
import { parseAddress } from "./address.js";

test.each([
  ["localhost", "localhost:7411", true],
  ["127.0.0.1:80", "127.0.0.1:80", true],
  ["logs.example.com", "logs.example.com:7411", false],
  ["logs:9000", "logs:9000", false],
  ["::1", "[::1]:7411", true],
  ["[::1]:9000", "[::1]:9000", true],
  ["[fe80::2]", "[fe80::2]:7411", false],
  ["unix:/run/logs.sock", "unix:/run/logs.sock", false],
  ["dns:///logs:9000", "dns:///logs:9000", false],
])("%s", (address, target, isLoopback) => {
  expect(parseAddress(address)).toEqual({ target, isLoopback });
});

test.each([
  ["", "host:port"],
  ["http://127.0.0.1:7411", 'give "127.0.0.1:7411"'],
  ["https://logs:9000/x", 'give "logs:9000" and { tls: true }'],
  ["logs:0", "port"],
  ["logs:65536", "port"],
  ["logs:http", "port"],
  ["logs:", "port"],
  ["logs 1:7411", "host:port"],
  ["user@logs:7411", "host:port"],
  ["logs:7411/path", "port"],
  ["a:b:c", "host:port"],
  [undefined, "host:port"],
  [7411, "host:port"],
  [null, "host:port"],
])("%j is refused at once", (address, told) => {
  expect(() => connect(address as string)).toThrow(
    expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringContaining(told) }),
  );
});
