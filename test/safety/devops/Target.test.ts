import { assert, describe, it } from "@effect/vitest"
import { targetOf } from "../../../src/safety/devops/Target.ts"

describe("targetOf", () => {
  it("RFC W3 credentials and fragment leave the URL, the origin names it", () => {
    assert.deepStrictEqual(targetOf("https://u%3Aser:p%40ss@Devops.Example:8443/hooks/T0KEN?a=%20b&a=+c#part"), {
      url: "https://devops.example:8443/hooks/T0KEN?a=%20b&a=+c",
      credentials: { username: "u:ser", password: "p@ss" },
      name: "https://devops.example:8443"
    })
    assert.deepStrictEqual(targetOf("http://[::1]:80"), {
      url: "http://[::1]/",
      credentials: undefined,
      name: "http://[::1]"
    })
  })

  it("RFC W3 a percent sign that encodes nothing stands for itself", () => {
    assert.deepStrictEqual(targetOf("http://100%:%ff@h/")?.credentials, { username: "100%", password: "%ff" })
    assert.deepStrictEqual(targetOf("http://:x@h/")?.credentials, { username: "", password: "x" })
    assert.isUndefined(targetOf("http://@h/")?.credentials)
  })

  it("RFC W3 an endpoint that cannot be posted to is no target", () => {
    for (
      const endpoint of [
        "",
        "devops.example",
        "//devops.example",
        "/hooks",
        "http://",
        "http://[bad",
        "http://h:65536",
        "ftp://h/",
        "file:///etc/passwd",
        "data:text/plain,x",
        "blob:http://h/x",
        "javascript:alert(1)",
        "ws://h/"
      ]
    ) { assert.isUndefined(targetOf(endpoint), endpoint) }
  })
})
