import { setTimeout as sleep } from 'node:timers/promises'
import type { Member } from './members.ts'

/** Two members at work, and what can happen to them. */
export interface Scene {
  readonly first: Member
  start(name: string): Promise<unknown>
  killBroker(): Promise<void>
  startBroker(): Promise<void>
}

export interface Trouble {
  readonly title: string
  /** Returns the moment from which the time without scoring counts, ms. */
  readonly cause: (scene: Scene) => Promise<number>
}

/** The product's default, which the other members have too. */
const SESSION_MS = 30_000
const AWAY_MS = 10_000

export const TROUBLES: readonly Trouble[] = [
  {
    title: 'SIGKILL of one of two, started again at once',
    cause: async ({ first, start }) => {
      await first.signal('SIGKILL')
      const sinceMs = performance.now()
      await start('member-1')
      return sinceMs
    },
  },
  {
    title: 'SIGTERM of one of two, started again',
    cause: async ({ first, start }) => {
      const sinceMs = performance.now()
      await first.signal('SIGTERM')
      await start('member-1')
      return sinceMs
    },
  },
  {
    title: 'SIGTERM of one of two, for good',
    cause: async ({ first }) => {
      const sinceMs = performance.now()
      await first.signal('SIGTERM')
      return sinceMs
    },
  },
  {
    title: 'a third one starts',
    cause: async ({ start }) => {
      const sinceMs = performance.now()
      await start('member-3')
      return sinceMs
    },
  },
  {
    title: 'SIGSTOP of one of two for 35 s, then SIGCONT',
    cause: async ({ first }) => {
      const sinceMs = performance.now()
      await first.signal('SIGSTOP')
      await sleep(SESSION_MS + 5_000)
      await first.signal('SIGCONT')
      return sinceMs
    },
  },
  {
    title: 'the broker killed for 10 s; from its return',
    cause: async ({ killBroker, startBroker }) => {
      await killBroker()
      await sleep(AWAY_MS)
      await startBroker()
      return performance.now()
    },
  },
]
