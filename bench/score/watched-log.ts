import { deferred } from '../../src/lib/deferred.ts'
import type { ConsumeOptions, Log } from '../../src/log/log.ts'
import { monotonicMs } from '../machine/measure.ts'

/**
 * A scorer's message to the process that measures it. A scorer is a member of the group: a process, or one of
 * its threads. `member` is its number in the process; `atMs` is in `monotonicMs`.
 */
export type ScorerMessage =
  /** It is ready to join the group. */
  | { readonly type: 'ready'; readonly member: number }
  | { readonly type: 'assigned' | 'released'; readonly member: number; readonly partition: number }
  | { readonly type: 'first-record'; readonly atMs: number }
  | { readonly type: 'failed'; readonly message: string }

/** Commands to a scorer, in the order in which they are sent. */
export type ScorerCommand = 'join' | 'begin'

/**
 * Makes a log wait for the commands before it joins the group and before it reads. Reports its partitions and
 * its first record.
 */
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

/** BroadcastChannels between `score-process.ts` and its threads. A member hears all other members. */
export const THREAD_MESSAGES = 'upswell-bench-thread-messages'
export const THREAD_COMMANDS = 'upswell-bench-thread-commands'
