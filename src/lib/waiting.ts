import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for `work`, which must not reject, but not longer than `limitMs`. Returns whether it is done. */
export async function settlesWithin(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  const done = new AbortController()
  const late = sleep(limitMs, false, { signal: done.signal }).catch(() => false)
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    done.abort()
  }
}

/** The answer, if it comes within `limitMs`; undefined: it is late, or an error. */
export async function answerWithin<Answer>(
  limitMs: number,
  answer: Promise<Answer>,
): Promise<Answer | undefined> {
  let found: Answer | undefined
  const answered = answer.then(
    value => {
      found = value
    },
    () => {},
  )
  await settlesWithin(limitMs, answered)
  return found
}

/** Resolves after `ms`, or at once when the signal is aborted. */
export async function sleepUnlessAborted(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}

export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
