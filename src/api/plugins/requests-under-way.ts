import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/** How long a stop waits for the answers to requests that have arrived. */
const MAX_DRAIN_MS = 5_000
/** How long a stop goes on listening: connections may be open that were not looked at yet. */
const MIN_OPEN_MS = 300
/** How long a stop waits for the rest of a request. */
const MAX_ARRIVAL_MS = 1_000
const POLL_MS = 10

/**
 * Knows the requests that are not answered yet, so that a stop can answer them first. While it waits, the API
 * keeps listening: /readyz then says that the service is stopping, and new requests are answered too.
 */
export class RequestsUnderWay {
  readonly #requests = new Set<IncomingMessage>()
  #isStopping = false

  get isStopping(): boolean {
    return this.#isStopping
  }

  track(api: FastifyInstance): void {
    api.addHook('onRequest', async ({ raw }, reply) => {
      this.#requests.add(raw)
      reply.raw.once('close', () => this.#requests.delete(raw))
    })
    // The client should open its next connection elsewhere.
    api.addHook('onSend', async (_request, reply) => {
      if (this.#isStopping) reply.header('connection', 'close')
    })
  }

  /** From now on nobody waits for a record, and clients are sent elsewhere. */
  beginStop(): void {
    this.#isStopping = true
  }

  /**
   * Answers what has been sent, then closes. It takes 0.3 s at least, 1 s if a client has sent nothing or a
   * part of a request, 5 s at most.
   */
  async closeAnswered(api: FastifyInstance): Promise<void> {
    this.beginStop()
    const startedAt = performance.now()
    const passedMs = () => performance.now() - startedAt
    while (passedMs() < MIN_OPEN_MS || this.#isWorthWaiting(passedMs())) await sleep(POLL_MS)
    let isClosed = false
    // Ends the connections that are idle now, and waits for the others.
    const closed = Promise.resolve(api.close()).finally(() => {
      isClosed = true
    })
    while (!isClosed && (passedMs() < MAX_ARRIVAL_MS || this.#isWorthWaiting(passedMs())))
      await sleep(POLL_MS)
    api.server.closeAllConnections()
    await closed
  }

  #isWorthWaiting(passedMs: number): boolean {
    if (this.#requests.size === 0 || passedMs >= MAX_DRAIN_MS) return false
    return passedMs < MAX_ARRIVAL_MS || Array.from(this.#requests).some(({ complete }) => complete)
  }
}
