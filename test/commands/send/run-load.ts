import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import { Load } from '../../../src/commands/send/load.ts'
import type { SendOptions } from '../../../src/commands/send/send-options.ts'
import { openSignalFile } from '../../../src/commands/signal-file/signal-file.ts'
import { Survey } from '../../../src/commands/signal-file/survey.ts'
import { describeError } from '../../../src/lib/errors.ts'
import type { Log } from '../../../src/log/log.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { temporaryFolder } from '../cli.ts'

const HISTORY: SendOptions = { clock: 'event', afterwards: 'stay', batchSize: 10 }

export interface Ran {
  /** Undefined: it failed. */
  readonly code: number | undefined
  /** Standard error, with the error at the end. */
  readonly stderr: string
  readonly stdout: string
}

/** Sends a file in this process. `survey`: it counts the lines; a new one, if left out. `now`: ms. */
export async function runLoad(
  log: Log,
  file: string,
  options: Partial<SendOptions> = {},
  { survey = new Survey(), topic = 'signals', store = new MemoryStore(), now = Date.now } = {},
): Promise<Ran> {
  let stderr = ''
  let stdout = ''
  const spies = [
    vi.spyOn(process.stderr, 'write').mockImplementation(text => {
      stderr += String(text)
      return true
    }),
    vi.spyOn(process.stdout, 'write').mockImplementation(text => {
      stdout += String(text)
      return true
    }),
  ]
  const say = (label: string) => (line: string) => {
    stderr += `${label}${line}\n`
  }
  const logger = {
    info: say(''),
    warn: say('warning: '),
    error: say('error: '),
  }
  const sending = { file, options: { ...HISTORY, ...options }, topic, place: 'the log' }
  try {
    const code = await new Load(sending, survey, { log, store }, logger, now).run(await openSignalFile(file))
    return { code, stderr, stdout }
  } catch (error) {
    return { code: undefined, stderr: `${stderr}${describeError(error)}\n`, stdout }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

/** Writes lines to a new file, which is removed after the test. */
export async function fileOf(lines: readonly (string | object)[]): Promise<string> {
  const file = join(await temporaryFolder(), 'history.jsonl')
  const texts = lines.map(line => (typeof line === 'string' ? line : JSON.stringify(line)))
  await writeFile(file, `${texts.join('\n')}\n`)
  return file
}

export interface TestSignal {
  readonly id: string
  readonly kind: string
  readonly name: string
  readonly accountId: string
  readonly occurredAt: string
}

const HOUR_MS = 3_600_000
const START = Date.parse('2025-03-01T00:00:00Z')

/** The signal of an hour, counted from a start in 2025. */
export function signalAt(hour: number, accountId = 'acme', id = `s-${hour}`): TestSignal {
  const occurredAt = new Date(START + hour * HOUR_MS).toISOString()
  return { id, kind: 'usage', name: 'seat.invited', accountId, occurredAt }
}

/** The option `--from-line` of the command that the output ends with. */
export function printedFromLine({ stderr }: Ran): number {
  return Number(/--from-line (\d+)/.exec(stderr)?.[1])
}

/** Does what SIGINT does, to the listener that was added last. */
export function interrupt(): void {
  process.listeners('SIGINT').at(-1)!('SIGINT')
}

/** Makes `process.exit` only note its code, until the end of the test. */
export function noteExit(): readonly number[] {
  const codes: number[] = []
  const spy = vi.spyOn(process, 'exit').mockImplementation(code => {
    codes.push(Number(code))
    return undefined as never
  })
  onTestFinished(() => spy.mockRestore())
  return codes
}
