import { deferred } from '../../src/lib/deferred.ts'
import type { ConsumeOptions, Log } from '../../src/log/log.ts'
import { monotonicMs } from '../machine/measure.ts'

/**
 * What a scorer tells the process that measures it. A scorer is a member of the group: a process, or each of its threads, and `member` says which one of the process. `atMs`: see
 * `monotonicMs`.
 */
export type ScorerMessage =
  /** It is there, and would join the group now. */
  | { readonly type: 'ready'; readonly member: number }
  | { readonly type: 'assigned' | 'released'; readonly member: number; readonly partition: number }
  | { readonly type: 'first-record'; readonly atMs: number }
  | { readonly type: 'failed'; readonly message: string }

/** Commands to a scorer, in the order in which they are sent. */
export type ScorerCommand = 'join' | 'begin'

/** Has a log join the group when it is told to, tell which partitions it holds, begin to read them when it is told to, and tell when it takes the first record. */
export function watchLog(log: Log, member: number, report: (message: ScorerMessage) => void) {
  const commands = { join: deferred(), begin: deferred() }
  const consume = log.consume.bind(log)
  log.consume = async options => {
    report({ type: 'ready', member })
    await commands.join.promise
    return consume(watched(options))
  }
  const watched = (options: ConsumeOptions): ConsumeOptions => {
    const { handler } = options
    let hasBegun = false
    return {
      ...options,
      handler: {
        assigned: async session => {
          const offset = await handler.assigned(session)
          report({ type: 'assigned', member, partition: session.partition })
          await commands.begin.promise
          return offset
        },
        process: (session, records) => {
          if (!hasBegun) {
            hasBegun = true
            report({ type: 'first-record', atMs: monotonicMs() })
          }
          return handler.process(session, records)
        },
        released: session => {
          report({ type: 'released', member, partition: session.partition })
          handler.released(session)
        },
      },
    }
  }
  return (command: ScorerCommand): void => commands[command].resolve()
}

/** BroadcastChannels between `score-process.ts` and its threads. A member of a channel hears all other members. */
export const THREAD_MESSAGES = 'upswell-bench-thread-messages'
export const THREAD_COMMANDS = 'upswell-bench-thread-commands'
