import { Argument, Command, Option } from 'commander'
import { describeError } from '../../src/lib/errors.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { findServices } from '../machine/services.ts'
import { changesOfEmbedded, changesOfFold, changesOfKafka, readDump } from './score-dump.ts'
import { fingerprintOf, type PeerChange } from './tier-fingerprint.ts'

interface Options {
  readonly backend: 'fold' | 'embedded' | 'kafka'
  readonly brokers?: string
  readonly redis?: string
}

function buildProgram(): Command {
  return new Command('upswell-fingerprint')
    .description(
      'scores a dump of signals with bench/rolling-score.yaml and prints the fingerprint of its tier changes, as the Kafka Streams job does with sweep=true',
    )
    .addArgument(
      new Argument('<dump>', 'canonical signals, one JSON a line: `produce dump=FILE` of the peer'),
    )
    .addOption(
      new Option('--backend <backend>', 'what scores them')
        .choices(['fold', 'embedded', 'kafka'])
        .default('fold'),
    )
    .option('--brokers <host:port,…>', 'the Kafka to use; default: KAFKA_BROKERS')
    .option('--redis <url>', 'the Redis to use; default: REDIS_URL')
    .action(async (dump: string, options: Options) => {
      const changes = await changesOn(await readDump(dump), options)
      process.stdout.write(`${JSON.stringify(fingerprintOf(changes))}\n`)
    })
}

async function changesOn(signals: readonly Signal[], options: Options): Promise<readonly PeerChange[]> {
  if (options.backend === 'fold') return changesOfFold(signals)
  if (options.backend === 'embedded') return changesOfEmbedded(signals)
  const services = await findServices(options)
  try {
    return await changesOfKafka(signals, services)
  } finally {
    await services.stop()
  }
}

try {
  await buildProgram().parseAsync()
} catch (error) {
  process.stderr.write(`upswell-fingerprint: ${describeError(error)}\n`)
  process.exitCode = 1
}
