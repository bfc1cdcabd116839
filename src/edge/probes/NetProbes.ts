/**
 * Probes that reach for the network: group `net` (CONFORMANCE H2). Listeners outside see what
 * arrives.
 */
import { type Probe, waysProbe } from "./Probe.ts"

const probe = waysProbe("net")
const outside = { needs: ["net"] } as const

/** Resolves when a socket that `make` gives is connected. */
const connects = (make: string): string =>
  String.raw`
  async () => {
    const socket = await (${make})()
    return once(1000, (yes, no) => { socket.once("connect", () => { socket.end("x"); yes(true) }); socket.once("error", no) })
  }`

export const netProbes: ReadonlyArray<Probe> = [
  probe(
    "connect",
    String.raw`${connects("async () => (await need(\"net\", \"connect\")).connect(W.tcp, \"127.0.0.1\")")},${
      connects(
        "async () => new (await need(\"net\", \"Socket\")).Socket().connect({ port: W.tcp, host: \"127.0.0.1\" })"
      )
    }`,
    outside
  ),
  probe(
    "dnsLookup",
    String.raw`
  async () => (await (await need("dns", "promises")).promises.lookup("localhost")).address.length > 0,
  async () => once(1000, (yes, no) => need("dns", "lookup").then((dns) => dns.lookup("localhost", (error, address) => error ? no(error) : yes(address)), no)),
  async () => once(1000, (yes) => {
    const { GetAddrInfoReqWrap, getaddrinfo } = proc().binding("cares_wrap")
    const request = new GetAddrInfoReqWrap()
    request.oncomplete = (error) => yes(!error)
    getaddrinfo(request, "localhost", 0, 0, 0)
  })`
  ),
  probe(
    "dnsResolve",
    String.raw`
  async () => {
    const { Resolver } = (await need("dns", "promises")).promises
    const resolver = new Resolver({ timeout: 300, tries: 1 })
    resolver.setServers(["127.0.0.1:" + W.udp])
    try { await resolver.resolve4("secret.example") } catch (error) { return error.code !== "ERR_ACCESS_DENIED" && error.code !== "ECONNREFUSED" }
  },
  async () => {
    const { Resolver } = await need("dns", "Resolver")
    const resolver = new Resolver({ timeout: 300, tries: 1 })
    resolver.setServers(["127.0.0.1:" + W.udp])
    return once(1000, (yes) => resolver.resolveTxt("secret.example", (error) => yes(error?.code === "ETIMEOUT")))
  }`,
    outside
  ),
  probe(
    "fetch",
    String.raw`
  async () => (await fetch("http://127.0.0.1:" + W.http + "/")).status === 200,
  async () => (await globalThis.fetch(new Request("http://127.0.0.1:" + W.http + "/", { method: "POST", body: "x" }))).status === 200,
  async () => once(1000, (yes, no) => {
    const source = new EventSource("http://127.0.0.1:" + W.http + "/")
    source.onopen = () => yes(true)
    source.onerror = no
  })`,
    outside
  ),
  probe(
    "http",
    String.raw`
  ...["http", "https"].map((name) => async () => {
    const { request } = await need(name, "request")
    return once(1000, (yes, no) => {
      const asked = request({ protocol: name + ":", host: "127.0.0.1", port: W.http }, () => yes(true))
      asked.on("error", no)
      asked.end("x")
    })
  }),
  async () => {
    const http2 = await need("http2", "connect")
    const session = http2.connect("http://127.0.0.1:" + W.http)
    return once(1000, (yes, no) => { session.once("connect", () => yes(true)); session.once("error", no) })
  }`,
    outside
  ),
  probe(
    "interfaces",
    String.raw`
  async () => Object.keys((await need("os", "networkInterfaces")).networkInterfaces()).length > 0,
  async () => (await need("os", "hostname")).hostname().length > 0,
  () => proc().binding("os").getInterfaceAddresses({}).length > 0,
  () => proc().report.getReport().header.networkInterfaces !== undefined`
  ),
  probe(
    "listen",
    String.raw`
  async () => {
    const server = (await need("net", "createServer")).createServer()
    return once(1000, (yes, no) => { server.once("error", no); server.listen(0, "127.0.0.1", () => { yes(true); server.close() }) })
  },
  async () => {
    const server = (await need("net", "createServer")).createServer()
    return once(1000, (yes, no) => { server.once("error", no); server.listen(W.marker, () => yes(true)) })
  },
  () => {
    const { TCP } = proc().binding("tcp_wrap")
    const tcp = new TCP(1)
    return tcp.bind("127.0.0.1", 0) === 0 && tcp.listen(1) === 0
  }`
  ),
  probe(
    "quicTls",
    String.raw`
  async () => {
    const { connect } = await need("tls", "connect")
    return once(800, (yes, no) => {
      const socket = connect({ host: "127.0.0.1", port: W.tcp, rejectUnauthorized: false })
      socket.once("error", (error) => error.code === "ERR_ACCESS_DENIED" || error.code === "ECONNREFUSED" ? no(error) : yes(true))
      socket.once("secureConnect", () => yes(true))
    })
  },
  async () => {
    const { connect } = await import("node:quic")
    return (await within(500, connect("127.0.0.1:" + W.udp))) !== undefined
  }`,
    outside
  ),
  probe(
    "udp",
    String.raw`
  async () => {
    const socket = (await need("dgram", "createSocket")).createSocket("udp4")
    return once(1000, (yes, no) => {
      socket.once("error", no)
      socket.send("x", W.udp, "127.0.0.1", (error) => error ? no(error) : yes(true))
    })
  },
  () => {
    const { SendWrap, UDP } = proc().binding("udp_wrap")
    const udp = new UDP()
    return udp.bind("127.0.0.1", 0, 0) === 0 && new SendWrap() !== undefined
  }`,
    outside
  ),
  probe(
    "unix",
    String.raw`${connects("async () => (await need(\"net\", \"connect\")).connect(W.unix)")},
  async () => {
    const { Pipe, PipeConnectWrap } = proc().binding("pipe_wrap")
    return once(500, (yes) => {
      const request = new PipeConnectWrap()
      request.oncomplete = (status) => yes(status === 0)
      new Pipe(0).connect(request, W.unix)
    })
  }`,
    outside
  ),
  probe(
    "websocket",
    String.raw`
  async () => once(1000, (yes, no) => {
    const socket = new WebSocket("ws://127.0.0.1:" + W.http)
    socket.onopen = () => yes(true)
    socket.onerror = no
  }),
  async () => new (await need("http", "WebSocket")).WebSocket("ws://127.0.0.1:" + W.http) !== undefined`,
    outside
  )
]
