import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { RETRY_PROMISE } from '../documents/retry-promise.ts'
import { Problem } from './problems.ts'

/** How long a stop waits for the answers to requests that have arrived. */
const MAX_DRAIN_MS = 5_000
/** How long a stop goes on listening: connections may be open that were not looked at yet. */
const MIN_OPEN_MS = 300
/** How long a stop waits for the rest of a request. */
const MAX_ARRIVAL_MS = 1_000
/** How long the last answers may take to reach the network. */
const MAX_SEND_MS = 500
const POLL_MS = 10

/**
 * Knows the requests that are not answered yet, so that a stop can answer them first. While it waits, the API
 * keeps listening: /readyz then says that the service is stopping, and new requests are answered too.
 */
export class RequestsUnderWay {
  readonly #replies = new Set<FastifyReply>()
  #isStopping = false

  get isStopping(): boolean {
    return this.#isStopping
  }

  track(api: FastifyInstance): void {
    api.addHook('onRequest', async (_request, reply) => {
      this.#replies.add(reply)
      reply.raw.once('close', () => this.#replies.delete(reply))
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
   * part of a request. After 5 s what is not answered gets 503.
   */
  async closeAnswered(api: FastifyInstance): Promise<void> {
    this.beginStop()
    const startedAt = performance.now()
    const passedMs = () => performance.now() - startedAt
    while (passedMs() < MIN_OPEN_MS || this.#isWorthWaiting(passedMs())) await sleep(POLL_MS)
    await this.#refuseUnanswered()
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

  /** Requests that cannot be answered any more get 503, so that their clients know what to do. */
  async #refuseUnanswered(): Promise<void> {
    const startedAt = performance.now()
    for (const reply of this.#replies) if (!reply.sent) reply.send(stopping(reply.request))
    while (this.#replies.size > 0 && performance.now() - startedAt < MAX_SEND_MS) await sleep(POLL_MS)
  }

  #isWorthWaiting(passedMs: number): boolean {
    if (this.#replies.size === 0 || passedMs >= MAX_DRAIN_MS) return false
    return passedMs < MAX_ARRIVAL_MS || Array.from(this.#replies).some(({ request }) => request.raw.complete)
  }
}

function stopping({ method, raw }: FastifyReply['request']): Problem {
  if (method !== 'POST')
    return new Problem('STOPPING', 'This process stops. Ask again; another process answers.')
  const outcome = raw.complete
    ? `It is unknown whether the signals were written. Send them again with the same ids: ${RETRY_PROMISE}.`
    : 'The body had not arrived, so nothing was written. Send it again.'
  return new Problem('STOPPING', `This process stops. ${outcome}`)
}
