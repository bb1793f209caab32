import { ReadNames, UnreadNames } from '../../analysis/unread-names.ts'
import { type Config, readConfig } from '../../app/config.ts'
import { isEmbedded, openServed, refuseForgottenKafka } from '../../app/open-backend.ts'
import { startClock } from '../../app/start-clock.ts'
import { UpswellError } from '../../lib/errors.ts'
import { ModelLibrary } from '../../models/model-library.ts'
import { logLocation, storeLocation } from '../data-location.ts'
import { openSignalFile } from '../signal-file/signal-file.ts'
import { Survey } from '../signal-file/survey.ts'
import { lineLogger } from '../terminal.ts'
import { claimWorkspace } from '../workspace.ts'
import { readActiveModels } from './active-models.ts'
import { Load } from './load.ts'
import type { SendOptions } from './send-options.ts'

/**
 * `upswell send FILE.jsonl[.gz]`: appends canonical signals to the log. Reports lines that are not signals,
 * and leaves them out. Returns the exit code: 0; 1 if lines were left out; 130 or 143 if it was stopped.
 * @throws UpswellError INPUT_UNREADABLE, INPUT_OUT_OF_ORDER, LOG_UNAVAILABLE, INVALID_SETTINGS
 */
export async function send(file: string, options: SendOptions): Promise<number> {
  requireHistory(options)
  const config = readConfig()
  const logger = lineLogger(config.logLevel)
  refuseForgottenKafka(config)
  const input = await openSignalFile(file)
  if (isEmbedded(config)) await claimWorkspace(config.dataDir)
  const library = new ModelLibrary()
  const backend = await openServed(config, logger, library)
  const { clock, stop: stopClock } = await startClock(backend.store, logger)
  try {
    const { isStarted, models } = await readActiveModels(backend.store, library)
    if (!isStarted) logger.warn(noModelsYet(config))
    const sending = { file, options, topic: backend.topics.signals, place: logLocation(config) }
    const survey = new Survey(models && new UnreadNames(new ReadNames(models)))
    return await new Load(sending, survey, backend, logger, clock.now).run(input)
  } finally {
    stopClock()
    await backend.close()
  }
}

/** @throws UpswellError INVALID_SETTINGS */
function requireHistory({ clock, afterwards }: SendOptions): void {
  if (afterwards === 'live' && clock !== 'event')
    throw new UpswellError(
      'INVALID_SETTINGS',
      '--afterwards live is for history, and --clock event is missing; add --clock event to load history, or leave out --afterwards to send signals that are observed now',
    )
}

/** Signals that are folded before any model is active change no tiers: it is nearly always a mistake. */
function noModelsYet(config: Config): string {
  const command = isEmbedded(config) ? 'upswell start' : 'upswell score'
  return (
    `no models are active in ${storeLocation(config)} yet: these signals are counted, but tier changes before the first "${command}" are not published. ` +
    'Run it first if you want them.'
  )
}
