#!/usr/bin/env node
import { Command, Option } from 'commander'
import { describeSettings } from './app/config.ts'
import { packageInfo } from './app/package-info.ts'
import type { DoctorOptions } from './commands/doctor/doctor.ts'
import { lastWordsOf, WRONG_USE } from './commands/last-words.ts'
import type { BacktestCommandOptions } from './commands/model/backtest.ts'
import type { ModelDiffOptions } from './commands/model/model-diff.ts'
import type { ModelTestOptions } from './commands/model/model-test.ts'
import type { ParityOptions } from './commands/parity.ts'
import { horizonDays, positiveNumber, wholeNumbers } from './commands/parse-option.ts'
import type { RebuildOptions } from './commands/rebuild.ts'
import { addReplayCommands } from './commands/replay/replay-commands.ts'
import { DEFAULT_BATCH_SIZE, type SendOptions } from './commands/send/send-options.ts'
import type { StartOptions } from './commands/start.ts'
import { endWhenReaderLeaves } from './commands/terminal.ts'
import { endProcess } from './lib/end-process.ts'

// A service has a listener of its own, which writes a line of its log (service-log.ts).
process.on('uncaughtException', fail)
endWhenReaderLeaves()
try {
  await buildProgram().parseAsync()
} catch (error) {
  process.emit('uncaughtException', error as Error)
}

function fail(error: unknown): void {
  const { text, exitCode } = lastWordsOf(error)
  process.stderr.write(`${text}\n`)
  endProcess(exitCode)
}

/** Commands are imported when they run: loading all of them takes a second, which the help does not need. */
function buildProgram(): Command {
  const { version, description } = packageInfo()
  const program = new Command('upswell')
    .description(description)
    .version(version)
    .addHelpText('afterAll', `\n${describeSettings()}`)
  program.showHelpAfterError('(upswell --help shows what is accepted)')
  // Commander has already printed its message.
  program.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : WRONG_USE))
  addServices(program)
  addDoctor(program)
  addSend(program)
  addReplayCommands(program, WRONG_USE)
  addStoreCommands(program)
  addModel(program)
  addBacktest(program)
  return program
}

function addServices(program: Command): void {
  program
    .command('start')
    .description('run everything in one process: embedded, or on Kafka and Redis if KAFKA_BROKERS is set')
    .option('--empty', 'embedded: start without the sample workspace')
    .addOption(
      new Option('--sample', 'embedded: start with the sample workspace, also in production').conflicts(
        'empty',
      ),
    )
    .action(async (options: StartOptions) => {
      const { start } = await import('./commands/start.ts')
      await start(options)
    })
  for (const [role, about] of [
    ['ingest', 'reads the source topics, writes signals or dead-letter'],
    ['score', 'reads signals, publishes scores, tier changes and PQLs; at most one works per partition'],
    ['api', 'answers the query API'],
  ] as const) {
    program
      .command(role)
      .description(`run one role on Kafka and Redis: it ${about}`)
      .action(async () => {
        const { run } = await import('./commands/run.ts')
        await run(role)
      })
  }
}

function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'check brokers, topics, Redis, permissions, clocks, models and data of the installation; changes nothing',
    )
    .option('--json', 'one JSON document, for scripts')
    .option('--strict', 'exit with 1 also for a warning, and for a check that could not be made')
    .action(async (options: DoctorOptions) => {
      const { doctor } = await import('./commands/doctor/doctor.ts')
      // A server that does not answer must not keep the process.
      endProcess(await doctor(options))
    })
}

function addSend(program: Command): void {
  program
    .command('send')
    .description('append the canonical signals of a file to the log, one JSON object per line')
    .argument('<file>', 'FILE.jsonl or FILE.jsonl.gz; - reads standard input')
    .addOption(
      new Option(
        '--clock <clock>',
        'wall: the signals are observed now; event: they are history, each is observed when it occurred',
      )
        .choices(['wall', 'event'])
        .default('wall'),
    )
    .addOption(
      new Option(
        '--afterwards <what>',
        'after history: stay keeps the time of its newest signal; live continues with the current time',
      )
        .choices(['stay', 'live'])
        .default('stay'),
    )
    .option('--batch-size <number>', 'how many signals one write has', positiveNumber, DEFAULT_BATCH_SIZE)
    .option(
      '--from-line <number>',
      'go on with this line of the file, after a send that broke off: it prints the number',
      positiveNumber,
    )
    .action(async (file: string, options: SendOptions) => {
      const { send } = await import('./commands/send/send.ts')
      process.exitCode = await send(file, options)
    })
}

function addStoreCommands(program: Command): void {
  program
    .command('rebuild')
    .description(
      'empty the store and fill it again from checkpoints and the log; no event is published again',
    )
    .option('--partition <numbers...>', 'rebuild only these partitions', wholeNumbers)
    .option('--from-log', 'use the log alone, without checkpoints')
    .action(async (options: RebuildOptions) => {
      const { rebuild } = await import('./commands/rebuild.ts')
      process.exitCode = await rebuild(options)
    })
  program
    .command('parity')
    .description('recompute some accounts from the log and compare them with the store; changes nothing')
    .option('--accounts <number>', 'how many accounts to check, chosen at random', positiveNumber, 100)
    .option('--from-log', 'recompute from the beginning of the log, without checkpoints')
    .option('--json', 'one JSON document, with the bytes of each difference')
    .action(async (options: ParityOptions) => {
      const { parity } = await import('./commands/parity.ts')
      process.exitCode = await parity(options)
    })
  const topics = program.command('topics').description('create the Kafka topics')
  topics
    .command('create')
    .description('create the missing topics, and report what differs in existing ones; they stay as they are')
    .option(
      '--replication-factor <number>',
      "replicas of each partition; the brokers' default if left out",
      positiveNumber,
    )
    .action(async (options: { replicationFactor?: number }) => {
      const { createAllTopics } = await import('./commands/topics.ts')
      process.exitCode = await createAllTopics(options)
    })
}

function addModel(program: Command): void {
  const model = program.command('model').description('check, test and compare scoring models')
  model
    .command('check')
    .description('report whether model files are valid, and if not, where and why')
    .argument('[files...]', 'model files or folders; UPSWELL_MODELS if left out')
    .action(async (files: string[]) => {
      const { checkModels } = await import('./commands/model/model-check.ts')
      await checkModels(files)
    })
  model
    .command('test')
    .description('run the examples in model files: given these signals, expect this score, tier and PQLs')
    .argument('[files...]', 'model files or folders; UPSWELL_MODELS if left out')
    .option('--json', 'one JSON document, for scripts')
    .action(async (files: string[], options: ModelTestOptions) => {
      const { testModels } = await import('./commands/model/model-test.ts')
      process.exitCode = await testModels(files, options)
    })
  model
    .command('diff')
    .description(
      'show what another version of a model would change for the accounts in the store; changes nothing',
    )
    .argument('<before>', 'a model file, or the word active for the version that is active in the store')
    .argument('<after>', 'a model file with the same id')
    .option('--limit <number>', 'how many accounts the text lists at most', positiveNumber, 20)
    .option('--json', 'one JSON document with every account that changes, for scripts')
    .option('--exit-code', 'exit with 1 if a tier or a PQL changes')
    .action(async (before: string, after: string, options: ModelDiffOptions) => {
      const { diffModels } = await import('./commands/model/model-diff.ts')
      process.exitCode = await diffModels(before, after, options)
    })
}

function addBacktest(program: Command): void {
  program
    .command('backtest')
    .description(
      "show how often wins followed a model's tiers and PQLs, in the log or a file; changes nothing",
    )
    .requiredOption('--model <file>', 'the model file')
    .option(
      '--file <file>',
      'read canonical signals from FILE.jsonl[.gz], or from standard input (-), instead of the log',
    )
    .addOption(
      new Option('--horizon <days>', 'a win counts if it comes at most this long after a tier or PQL')
        .argParser(horizonDays)
        .default(90, '90d'),
    )
    .option('--won <names...>', 'names of the outcome signals that are wins; one may end in *', ['deal.won'])
    .option('--json', 'one JSON document, for scripts')
    .action(
      async ({ horizon, ...options }: Omit<BacktestCommandOptions, 'horizonDays'> & { horizon: number }) => {
        const { backtest } = await import('./commands/model/backtest.ts')
        process.exitCode = await backtest({ ...options, horizonDays: horizon })
      },
    )
}
