/** What the API answered. */
export interface Answer {
  readonly status: number
  readonly body: string
  readonly retryAfter: string | null
}

/** Asks one URL after the other, again and again, until it is stopped. */
export class Polling {
  readonly answers: { readonly url: string; readonly answer: Answer }[] = []
  readonly #running: Promise<void>
  #isStopped = false

  constructor(urls: readonly string[], base: () => string) {
    this.#running = this.#run(urls, base)
  }

  async #run(urls: readonly string[], base: () => string): Promise<void> {
    while (!this.#isStopped)
      for (const url of urls) this.answers.push({ url, answer: await ask(base() + url) })
  }

  async stop(): Promise<readonly { readonly url: string; readonly answer: Answer }[]> {
    this.#isStopped = true
    await this.#running
    return this.answers
  }
}

/** 503, to ask again: the store is being filled, or the serving lineage is not known yet. */
export function isRefusal({ status, body, retryAfter }: Answer): boolean {
  return status === 503 && retryAfter === '1' && /"code":"(STORE_FILLING|NOT_READY)"/.test(body)
}

export async function ask(url: string): Promise<Answer> {
  const response = await fetch(url)
  return {
    status: response.status,
    // Each problem has an id of its own.
    body: (await response.text()).replace(/,"requestId":"[^"]*"/, ''),
    retryAfter: response.headers.get('retry-after'),
  }
}
