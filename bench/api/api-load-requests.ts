import { connect, type Socket } from 'node:net'

export interface RequestLoad {
  /** `http://host:port` on this machine. */
  readonly url: string
  /** Requested in this order, again and again. */
  readonly paths: readonly string[]
  readonly requestsPerSecond: number
  readonly seconds: number
  readonly connections: number
}

export interface AnsweredLoad {
  readonly sent: number
  readonly answered: number
  /** How many answers had each status other than 200. */
  readonly otherStatuses: ReadonlyMap<number, number>
  /** Connections that broke. */
  readonly errors: number
  readonly seconds: number
  readonly bodyBytes: number
  /** ms from when a request was due until its answer, ascending. */
  readonly latenciesMs: Float64Array
  /**
   * ms from when a request was written until its answer, ascending: without the wait for a connection or this
   * process.
   */
  readonly serviceMs: Float64Array
  /**
   * ms: the longest time between two checks for due requests. The API is not to blame for requests that it
   * delayed.
   */
  readonly longestPauseMs: number
}

const TICK_MS = 1
/** How long after the last request was due the remaining answers are awaited. */
const PATIENCE_MS = 10_000

/**
 * Sends each request when it is due, even if earlier ones are unanswered. A request that is due while all
 * connections are busy waits, and its wait counts (no coordinated omission). autocannon 9 with `overallRate`
 * differs: each connection sends a second's requests in one go, each after the answer to the one before, then
 * rests until the next second.
 */
export async function sendRequests(load: RequestLoad): Promise<AnsweredLoad> {
  const { url, paths, requestsPerSecond, seconds, connections } = load
  const { hostname, port, host } = new URL(url)
  const requests = paths.map(path => Buffer.from(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`))
  const count = Math.round(requestsPerSecond * seconds)
  const latenciesMs = new Float64Array(count)
  const serviceMs = new Float64Array(count)
  const otherStatuses = new Map<number, number>()
  let due = 0
  let sent = 0
  let answered = 0
  let errors = 0
  let bodyBytes = 0
  let longestPauseMs = 0
  let lookedAt = performance.now()
  const begin = performance.now()
  const dueAt = (request: number) => begin + (request * 1000) / requestsPerSecond

  const idle: Connection[] = []
  const all = await Promise.all(
    Array.from({ length: connections }, () =>
      openConnection(hostname, Number(port), {
        answered: (connection, status, length) => {
          const now = performance.now()
          latenciesMs[answered] = now - dueAt(connection.request)
          serviceMs[answered] = now - connection.sentAt
          answered++
          bodyBytes += length
          if (status !== 200) otherStatuses.set(status, (otherStatuses.get(status) ?? 0) + 1)
          idle.push(connection)
          sendDue()
        },
        broken: () => {
          errors++
        },
      }),
    ),
  )
  idle.push(...all)

  function sendDue(): void {
    while (sent < due) {
      const connection = idle.pop()
      if (connection === undefined) return
      connection.request = sent
      connection.sentAt = performance.now()
      connection.socket.write(requests[sent % requests.length]!)
      sent++
    }
  }

  await new Promise<void>(resolve => {
    const timer = setInterval(() => {
      const now = performance.now()
      longestPauseMs = Math.max(longestPauseMs, now - lookedAt)
      lookedAt = now
      due = Math.min(count, Math.floor(((now - begin) * requestsPerSecond) / 1000) + 1)
      sendDue()
      const isOver = answered + errors >= count || now - dueAt(count) > PATIENCE_MS
      if (!isOver) return
      clearInterval(timer)
      resolve()
    }, TICK_MS)
  })
  const took = (performance.now() - begin) / 1000
  for (const { socket } of all) socket.destroy()
  return {
    sent,
    answered,
    otherStatuses,
    errors,
    seconds: took,
    bodyBytes,
    latenciesMs: latenciesMs.subarray(0, answered).sort(),
    serviceMs: serviceMs.subarray(0, answered).sort(),
    longestPauseMs,
  }
}

interface Connection {
  readonly socket: Socket
  /** The number of the request under way. */
  request: number
  sentAt: number
}

interface Events {
  answered(connection: Connection, status: number, bodyLength: number): void
  broken(): void
}

/**
 * Node's own client takes several times more processor time, which would distort the measurement. This one
 * reads only answers with a content-length.
 */
async function openConnection(host: string, port: number, events: Events): Promise<Connection> {
  const socket = connect({ host, port, noDelay: true })
  const connection: Connection = { socket, request: -1, sentAt: 0 }
  let status = 0
  let length = 0
  let left = 0
  let head: Buffer | undefined
  socket.on('data', chunk => {
    if (left === 0) {
      const bytes = head === undefined ? chunk : Buffer.concat([head, chunk])
      const end = bytes.indexOf('\r\n\r\n')
      if (end < 0) {
        head = bytes
        return
      }
      head = undefined
      const text = bytes.toString('latin1', 0, end)
      status = Number(text.slice(9, 12))
      length = contentLength(text)
      left = length - (bytes.length - end - 4)
    } else left -= chunk.length
    if (left === 0) events.answered(connection, status, length)
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    if (!socket.destroyed || socket.errored !== null || socket.readableEnded) events.broken()
  })
  return connection
}

function contentLength(head: string): number {
  const found = /\r\ncontent-length: (\d+)/i.exec(head)
  if (found === null) throw new Error(`this client cannot read an answer without content-length:\n${head}`)
  return Number(found[1])
}
