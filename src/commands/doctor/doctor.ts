import { type Config, readConfig } from '../../app/config.ts'
import { memoryFacts } from '../../app/memory-budget.ts'
import { isEmbedded } from '../../app/open-backend.ts'
import { readModelFiles } from '../../app/read-model-files.ts'
import { describeError } from '../../lib/errors.ts'
import { ModelLibrary } from '../../models/model-library.ts'
import { lookOf, writeOut } from '../terminal.ts'
import type { ConfiguredModels } from './check-data.ts'
import { checkEmbedded } from './check-embedded.ts'
import { checkKafkaRedis } from './check-kafka-redis.ts'
import type { Finding } from './finding.ts'
import { judgeMemory, judgeModelFiles, judgeNode } from './judge-process.ts'
import { doctorJson, doctorText, exitCodeOf } from './report.ts'

export interface DoctorOptions {
  readonly json?: true
  /** A warning, and a check that could not be made, give the exit code 1 too. */
  readonly strict?: true
}

/**
 * `upswell doctor`: checks the servers, the settings and the data of an installation. It only reads, and goes
 * on when a part does not answer. Returns the exit code: 1 if there is a problem.
 * @throws UpswellError INVALID_SETTINGS, INVALID_INSTALLATION
 */
export async function doctor({ json, strict }: DoctorOptions): Promise<number> {
  const config = readConfig()
  const library = new ModelLibrary()
  const { models, finding } = await checkModelFiles(config, library)
  const findings = [
    judgeNode(process.version),
    judgeMemory(memoryFacts(config)),
    finding,
    ...(isEmbedded(config)
      ? await checkEmbedded(config, library, models)
      : await checkKafkaRedis(config, library, models)),
  ]
  // Lines are not cut: their ends say what to do.
  const look = { color: lookOf(config).color, width: Number.POSITIVE_INFINITY }
  await writeOut(json === true ? doctorJson(findings) : doctorText(findings, look))
  return exitCodeOf(findings, strict === true)
}

async function checkModelFiles(
  config: Config,
  library: ModelLibrary,
): Promise<{ readonly models: ConfiguredModels; readonly finding: Finding }> {
  try {
    const files = await readModelFiles(config.models)
    const models = files.map(({ file, text }) => ({ file, text }))
    library.compileAll(models)
    const names = files.map(({ definition }) => `${definition.id} ${definition.version}`)
    return { models, finding: judgeModelFiles(names, undefined) }
  } catch (error) {
    return { models: undefined, finding: judgeModelFiles([], describeError(error)) }
  }
}
