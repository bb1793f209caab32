import type { Config } from '../app/config.ts'
import { type OpenedBackend, openBackend, type RoleParts } from '../app/open-backend.ts'
import { Lineages } from '../consumers/lineage/lineages.ts'
import { ModelLibrary } from '../models/model-library.ts'
import { lineLogger } from './terminal.ts'

export interface OpenedLineages {
  readonly lineages: Lineages
  readonly library: ModelLibrary
  readonly backend: OpenedBackend
}

/**
 * Opens the log, the store and the lineages that the settings name, and closes them after `work`.
 * @throws UpswellError STORE_UNAVAILABLE, and what `work` throws
 */
export async function withLineages<T>(
  config: Config,
  work: (opened: OpenedLineages) => Promise<T>,
  parts: RoleParts = {},
): Promise<T> {
  const library = new ModelLibrary()
  const backend = await openBackend(config, lineLogger(config.logLevel), parts)
  const lineages = new Lineages(config, backend, library)
  try {
    return await work({ lineages, library, backend })
  } finally {
    await lineages.close()
    await backend.close()
  }
}
