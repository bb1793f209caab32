import { setTimeout as sleep } from 'node:timers/promises'
import { describeError } from './errors.ts'

/** What a question gave, or why there is no answer. */
export type Attempt<T> = { readonly value: T } | { readonly reason: string }

/** Asks a question. A failure, or no answer within `limitMs`, is a value. */
export async function attempt<T>(limitMs: number, question: () => Promise<T>): Promise<Attempt<T>> {
  const done = new AbortController()
  const late = sleep(limitMs, { reason: `no answer within ${limitMs / 1_000} s` }, { signal: done.signal })
  // It is aborted once there is an answer.
  late.catch(() => {})
  try {
    return await Promise.race([answerTo(question), late])
  } finally {
    done.abort()
  }
}

async function answerTo<T>(question: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await question() }
  } catch (error) {
    return { reason: describeError(error) }
  }
}

/** The answer, or undefined if there is none. */
export function answered<T>(attempted: Attempt<T>): T | undefined {
  return 'value' in attempted ? attempted.value : undefined
}
