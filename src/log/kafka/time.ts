import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for the work, which does not fail, but not for longer than this. Answers whether it is done. */
export async function settlesWithin(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  const done = new AbortController()
  const late = sleep(limitMs, false, { signal: done.signal }).catch(() => false)
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    done.abort()
  }
}

export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
