import { quoted } from '../signal-file/shell-word.ts'

export interface SendOptions {
  readonly clock: 'wall' | 'event'
  readonly afterwards: 'stay' | 'live'
  readonly batchSize: number
  /**
   * The number of the line to begin with. The signals before it, in the order of sending, are skipped.
   * Undefined: none are.
   */
  readonly fromLine?: number | undefined
}

export const DEFAULT_BATCH_SIZE = 1000

/** The command that sends a file with these options, for a shell. */
export function sendCommand(file: string, { clock, afterwards, batchSize, fromLine }: SendOptions): string {
  return [
    'upswell send',
    quoted(file),
    ...(clock === 'wall' ? [] : [`--clock ${clock}`]),
    ...(afterwards === 'stay' ? [] : [`--afterwards ${afterwards}`]),
    ...(batchSize === DEFAULT_BATCH_SIZE ? [] : [`--batch-size ${batchSize}`]),
    ...(fromLine === undefined ? [] : [`--from-line ${fromLine}`]),
  ].join(' ')
}
