import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { TracehoundConfig } from "../../src/index.ts"

const decode = Schema.decodeUnknownSync(TracehoundConfig, { onExcessProperty: "error" })
const accepts = (value: unknown): boolean =>
  Schema.decodeUnknownOption(TracehoundConfig, { onExcessProperty: "error" })(value)._tag === "Some"

/** Every setting that is a whole number, with its bounds. */
const numbers: ReadonlyArray<readonly [path: string, minimum: number, maximum: number]> = [
  ["maxPayloadSize", 1, 268_435_456],
  ["maxDepth", 1, 1_000],
  ["maxKeys", 1, 1_000_000],
  ["rateLimit.windowMs", 1, 2_147_483_647],
  ["rateLimit.maxRequests", 1, 1_000_000_000],
  ["rateLimit.blockDurationMs", 0, 2_147_483_647],
  ["rateLimit.maxSources", 1, 16_777_216],
  ["quarantine.maxCount", 1, 16_777_216],
  ["quarantine.maxBytes", 1, Number.MAX_SAFE_INTEGER],
  ["hound.minimumDormant", 0, 1024],
  ["hound.maxActive", 1, 1024],
  ["hound.maxLifeTimeCycle", 1, 2_147_483_647],
  ["hound.maxProcessingTime", 1, 2_147_483_647],
  ["hound.replenishDelay", 0, 2_147_483_647],
  ["hound.maxJobs", 1, 4_294_967_295],
  ["hound.readyTimeout", 1, 2_147_483_647],
  ["scheduler.rotationInterval", 1, 2_147_483_647],
  ["scheduler.jitterMax", 0, 2_147_483_647],
  ["alerts.maxAlertsPerWindow", 1, 1_000_000],
  ["alerts.windowMs", 1, 2_147_483_647],
  ["alerts.escalationThreshold", 1, 1_000_000],
  ["audit.maxRecords", 1, 16_777_216],
  ["audit.coldStorage.maxPendingCount", 1, 1_000_000],
  ["audit.coldStorage.maxPendingBytes", 1, Number.MAX_SAFE_INTEGER],
  ["audit.coldStorage.retries", 0, 100],
  ["audit.coldStorage.retryDelayMs", 0, 2_147_483_647],
  ["audit.coldStorage.writeTimeoutMs", 1, 2_147_483_647],
  ["audit.coldStorage.maxKeptCount", 0, 1_000_000],
  ["audit.coldStorage.maxKeptBytes", 0, Number.MAX_SAFE_INTEGER],
  ["runtime.maxOldSpaceSize", 16, 1_048_576],
  ["runtime.secureHeap", 2, 2_147_483_647]
]

const at = (path: string, value: unknown): unknown => {
  const nest = (keys: ReadonlyArray<string>): unknown =>
    keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value)
  const keys = path.split(".")
  return path.startsWith("audit.coldStorage.")
    ? { audit: { coldStorage: { endpoint: "file:./x", ...(nest(keys.slice(2)) as object) } } }
    : nest(keys)
}

describe("TracehoundConfig", () => {
  it("RFC R2 an empty configuration has the RFC's defaults, and ours where the RFC has none", () => {
    assert.deepStrictEqual(decode({}), {
      maxPayloadSize: 1_000_000,
      maxDepth: 256,
      maxKeys: 4_096,
      rateLimit: { windowMs: 60_000, maxRequests: 100, blockDurationMs: 300_000, maxSources: 100_000 },
      quarantine: { maxCount: 10_000, maxBytes: 100_000_000, evictionPolicy: "priority" },
      hound: {
        minimumDormant: 2,
        maxActive: 4,
        maxLifeTimeCycle: 3_600_000,
        maxProcessingTime: 5_000,
        replenishDelay: 100,
        escalation: { severity: "critical", fill: 0.8 },
        maxPending: 1_024,
        enabled: true,
        sandbox: "default",
        maxJobs: 100,
        readyTimeout: 10_000,
        forkServer: true,
        debug: false
      },
      signature: {},
      scheduler: { rotationInterval: 300_000, jitterMax: 10_000, skipIfBusy: true },
      alerts: {
        maxAlertsPerWindow: 10,
        windowMs: 60_000,
        escalationThreshold: 1,
        devops: {
          timeoutMs: 5_000,
          retries: 3,
          retryDelayMs: 500,
          maxPending: 256,
          breakerFailures: 3,
          breakerResetMs: 30_000
        }
      },
      audit: { chainEnabled: true, maxRecords: 100_000 },
      failSafe: {
        onTimeout: "Purge",
        onEncodeError: "Purge",
        onQuarantineFull: "Purge",
        onHoundError: "escalate",
        onSystemError: "panic",
        panic: { threshold: { min: 3, max: 10, window: 60_000 } },
        callbackTimeoutMs: 5_000
      },
      trustBoundary: {
        cluster: { sharedState: "none", trustLevel: "untrusted" },
        coldStorage: { trustLevel: "write-only" },
        detector: { source: "external", trustLevel: "trusted" }
      },
      runtime: { disableProto: "throw", frozenIntrinsics: true, maxOldSpaceSize: 512, strict: false },
      telemetry: { instance: "tracehound" }
    })
  })

  it("RFC C1 cold storage needs an endpoint and has a default for the rest", () => {
    assert.deepStrictEqual(decode({ audit: { coldStorage: { endpoint: "file:./evidence" } } }).audit.coldStorage, {
      type: "url",
      endpoint: "file:./evidence",
      writeOnly: true,
      appendOnly: true,
      codec: "gzip",
      maxPendingCount: 10_000,
      maxPendingBytes: 100_000_000,
      retries: 3,
      retryDelayMs: 200,
      writeTimeoutMs: 10_000,
      maxKeptCount: 10_000,
      maxKeptBytes: 100_000_000,
      http: { method: "PUT" },
      s3: { region: "us-east-1", pathStyle: false }
    })
    assert.isFalse(accepts({ audit: { coldStorage: {} } }))
  })

  it.each(numbers)("RFC R2 %s is a whole number from %d to %d", (path, minimum, maximum) => {
    assert.isTrue(accepts(at(path, minimum)))
    assert.isTrue(accepts(at(path, maximum)))
    const refused = [
      minimum - 1,
      maximum + 1,
      minimum + 0.5,
      -1,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      String(minimum),
      BigInt(minimum),
      null,
      [minimum],
      true
    ]
    for (const value of refused) assert.isFalse(accepts(at(path, value)), `${path} = ${String(value)}`)
  })

  const words: ReadonlyArray<readonly [path: string, good: ReadonlyArray<unknown>, bad: ReadonlyArray<unknown>]> = [
    ["quarantine.evictionPolicy", ["priority", "lru"], ["LRU", "", null, "constructor"]],
    ["scheduler.skipIfBusy", [true, false], ["true", 1, null]],
    ["audit.chainEnabled", [true, false], ["false", 0]],
    ["runtime.disableProto", ["throw", "delete"], ["allow", true]],
    ["runtime.frozenIntrinsics", [true, false], ["yes"]],
    ["runtime.strict", [true, false], ["strict", 1]],
    ["dataDirectory", ["./a", "../a b", "/é", "C:\\a", `/${"x".repeat(4095)}`], [
      "",
      "a",
      "~/a",
      "/a\0",
      `/${"x".repeat(4096)}`,
      7,
      null
    ]],
    ["custody", ["memory", "durable"], ["", "disk", true, null]],
    ["telemetry.instance", ["a", "web-1.eu_2", "x".repeat(64)], ["", "a b", "x".repeat(65), "a\n", "é", 7]],
    ["alerts.devopsEndpoint", ["http://a", "https://a/b?c", "http://[::1]:8080/x", "https://user:word@a"], [
      "http://",
      "http://[",
      "http://[::1",
      "http://a:65536",
      "https://a b/",
      "http://%",
      "https://?x",
      "ftp://a",
      "javascript:alert(1)",
      " https://a"
    ]],
    ["audit.coldStorage.type", ["url"], ["path"]],
    ["audit.coldStorage.writeOnly", [true], [false]],
    ["audit.coldStorage.appendOnly", [true], [false]],
    ["audit.coldStorage.codec", ["stored", "gzip", "zstd", "brotli"], ["GZIP", "", "deflate", 1, null, "constructor"]],
    ["audit.coldStorage.http.method", ["PUT", "POST"], ["put", "GET", "", null]],
    ["audit.coldStorage.http.key", ["k".repeat(32), "k".repeat(1024)], ["k".repeat(31), " ".repeat(40), 7]],
    ["audit.coldStorage.s3.endpoint", ["http://localhost:9000", "https://s3.example/"], [
      "localhost",
      "s3://x",
      "https://a/b",
      "https://a:b@c",
      "https://a?b"
    ]],
    ["audit.coldStorage.s3.region", ["eu-central-1", "auto"], ["", "EU", "a/b", "a\n"]],
    ["audit.coldStorage.s3.pathStyle", [true, false], ["true", 1]],
    ...["accessKeyId", "secretAccessKey", "sessionToken"].map((name) =>
      [`audit.coldStorage.s3.${name}`, ["AKIA", "x".repeat(4096)], [
        "",
        "a b",
        "a\n",
        "ü",
        "x".repeat(4097),
        7
      ]] as const
    ),
    [
      "audit.coldStorage.endpoint",
      [
        "file:x",
        "file:./x",
        "file:/x",
        "file:///x",
        `file:${"x".repeat(4091)}`,
        "file:./~/x",
        "file:/home/~x",
        "file:x~",
        "file:/dir?x#y",
        "file:///dir%3Fx%23y",
        "http://a",
        "https://a.example:8443/b/c/",
        "https://[::1]/%20x",
        "s3://bucket",
        "s3://my.bucket-1/",
        "s3://bucket/path/to.it_-/"
      ],
      [
        "",
        "file:",
        "ftp://a/b",
        "http:",
        "http://",
        "https:a",
        "https://user@a/",
        "https://user:word@a/",
        "https://a/?x",
        "https://a/#x",
        "https://a/?",
        "https://a/ b",
        "http://a:65536/",
        "s3:bucket",
        "s3://",
        "s3://a",
        "s3://Bucket",
        "s3://bucket//x",
        "s3://bucket/../x",
        "s3://bucket/./x",
        "s3://bucket/a+b",
        "s3://bucket/a b",
        "s3://bucket/ü",
        "s3://bucket/x?y",
        "s3://bucket/x\n",
        "s3://key:secret@bucket/x",
        "/tmp/x",
        "file:\ud800",
        `file:${"x".repeat(4092)}`,
        " file:x",
        "file:~",
        "file:~/x",
        "file:~root/x",
        "file:///dir?x",
        "file:///dir#y",
        "file:///dir/\n?x#y",
        "file://host/dir?",
        "file:/x\0y",
        "file:///x\0"
      ]
    ]
  ]
  it.each(words)("RFC R2 %s is a closed choice", (path, good, bad) => {
    for (const value of good) assert.isTrue(accepts(at(path, value)), String(value))
    for (const value of bad) assert.isFalse(accepts(at(path, value)), String(value))
  })

  it("RFC R2 unknown keys are refused at every level", () => {
    for (const key of ["x", "__proto__", "constructor", "toString", "MaxDepth"]) {
      const bag = JSON.parse(`{${JSON.stringify(key)}: 1}`) as object
      assert.isFalse(accepts(bag), key)
      for (const room of ["rateLimit", "quarantine", "hound", "scheduler", "alerts", "audit", "runtime"])
        assert.isFalse(accepts({ [room]: bag }), `${room}.${key}`)
      assert.isFalse(accepts({ audit: { coldStorage: { endpoint: "file:x", ...bag, [`${key}_`]: 1 } } }))
    }
  })
})
