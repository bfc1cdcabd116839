/**
 * A vitest environment that changes nothing of the process: the built-in `node` writes to
 * `console`, which is frozen here.
 */
export default { name: "hardened", viteEnvironment: "ssr", setup: () => ({ teardown() {} }) }
