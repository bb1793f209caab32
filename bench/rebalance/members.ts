import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { startRole } from '../api/role-process.ts'

/** A process that reads the topic as a member of the group. */
export interface Member {
  readonly pid: number
  /** With SIGKILL and SIGTERM, resolves when the process has ended. */
  signal(name: NodeJS.Signals): Promise<void>
}

/** Where the members of one run are at work. */
export interface Workplace {
  readonly brokers: readonly string[]
  readonly group: string
  readonly topic: string
  readonly settings: Readonly<Record<string, string>>
}

export type StartMember = (workplace: Workplace, name: string) => Promise<Member>

/** `upswell score`, with this instance id. */
export const startScorer: StartMember = async ({ settings }, name) => {
  const { pid } = await startRole('score', { ...settings, UPSWELL_INSTANCE_ID: name })
  return { pid, signal: signal => signalAndWait(pid, signal) }
}

/** The script needs a Python with `confluent-kafka`. */
export function librdkafkaMembers(python: string, isStatic: boolean): StartMember {
  const script = fileURLToPath(new URL('../../../bench/rebalance/librdkafka-member.py', import.meta.url))
  return async ({ brokers, group, topic }, name) => {
    const words = [script, brokers.join(','), group, topic, name, ...(isStatic ? ['static'] : [])]
    // It reports each lost connection.
    const child = spawn(python, words, { stdio: 'ignore' })
    await once(child, 'spawn')
    return { pid: child.pid!, signal: signal => signalAndWait(child.pid!, signal) }
  }
}

async function signalAndWait(pid: number, signal: NodeJS.Signals): Promise<void> {
  const isThere = (): boolean => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  if (!isThere()) return
  process.kill(pid, signal)
  if (signal !== 'SIGKILL' && signal !== 'SIGTERM') return
  while (isThere()) await new Promise(resolve => setTimeout(resolve, 10))
}
