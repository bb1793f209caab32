import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'

/** A signal as it is to be sent: `value` is its canonical JSON. */
export interface SignalLine {
  readonly id: string
  readonly key: string
  readonly value: string
  /** ms */
  readonly timestamp: number
}

/** Reads signals, one canonical JSON a line. @throws SyntaxError at a line that is no JSON */
export async function readSignalLines(file: string): Promise<SignalLine[]> {
  const signals: SignalLine[] = []
  for await (const value of createInterface({ input: createReadStream(file) })) {
    const { id, accountId, occurredAt } = JSON.parse(value) as Record<
      'id' | 'accountId' | 'occurredAt',
      string
    >
    signals.push({ id, key: accountId, value, timestamp: Date.parse(occurredAt) })
  }
  return signals
}
