#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { describeSettings, PACKAGE_ROOT } from './app/config.ts'
import type { BacktestCommandOptions } from './commands/model/backtest.ts'
import type { ModelDiffOptions } from './commands/model/model-diff.ts'
import type { ModelTestOptions } from './commands/model/model-test.ts'
import type { ParityOptions } from './commands/parity.ts'
import { positiveNumber } from './commands/parse-number.ts'
import type { RebuildOptions } from './commands/rebuild.ts'
import type { ReplayOptions } from './commands/replay/replay.ts'
import type { ReplayDiffOptions } from './commands/replay/replay-diff.ts'
import type { SendOptions } from './commands/send.ts'
import { describeError, isUpswellError, UpswellError } from './lib/errors.ts'
import { InvalidModelError } from './models/problems.ts'
import { parseRfc3339 } from './signals/rfc3339.ts'

/** Exit codes that scripts can use: 0 done, 1 something failed or was left out, 2 the command, a setting or a model is wrong. */
const WRONG_USE = 2
const LONGEST_HORIZON_DAYS = 1000

/** Commands are imported when they run: all of them take a second of work to load, which the help need not. */
function buildProgram(): Command {
  const { version, description } = JSON.parse(
    readFileSync(resolve(PACKAGE_ROOT, 'package.json'), 'utf8'),
  ) as Record<string, string>
  const program = new Command('upswell')
    .description(description!)
    .version(version!)
    .addHelpText('afterAll', `\n${describeSettings()}`)
  program.showHelpAfterError('(upswell --help shows what is accepted)')
  // Commander has written what it has to say.
  program.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : WRONG_USE))

  program
    .command('start')
    .description('run everything in one process: embedded, or on Kafka and Redis where KAFKA_BROKERS is set')
    .option('--empty', 'embedded: begin without the sample workspace')
    .action(async (options: { empty?: boolean }) => {
      const { start } = await import('./commands/start.ts')
      await start({ empty: options.empty === true })
    })
  for (const [role, about] of [
    ['ingest', 'source topics → signals, or dead-letter'],
    ['score', 'signals → scores, tier changes and PQLs; run as many as there are partitions, at most'],
    ['api', 'the query API'],
  ] as const) {
    program
      .command(role)
      .description(`run one role on Kafka and Redis: ${about}`)
      .action(async () => {
        const { run } = await import('./commands/run.ts')
        await run(role)
      })
  }

  program
    .command('send')
    .description('append canonical signals, one JSON a line, to the log')
    .argument('<file>', 'FILE.jsonl or FILE.jsonl.gz; - reads standard input')
    .addOption(
      new Option(
        '--clock <clock>',
        'wall: they are observed now; event: they are history, each observed when it occurred',
      )
        .choices(['wall', 'event'])
        .default('wall'),
    )
    .addOption(
      new Option(
        '--afterwards <what>',
        'after history: stay at its end, or go live, so that time goes on from now',
      )
        .choices(['stay', 'live'])
        .default('stay'),
    )
    .option('--batch-size <number>', 'signals in one write', positiveNumber, 1000)
    .action(async (file: string, options: SendOptions) => {
      const { send } = await import('./commands/send.ts')
      process.exitCode = await send(file, options)
    })

  const replay = program
    .command('replay')
    .description(
      'read the log a second time into a namespace and topics of its own: with another model, or more partitions',
    )
    .option('--into <name>', 'what the replay is called; the same name goes on with it', replayName)
    .option('--from <time>', 'signals of this time and later ones; the beginning if left out', time)
    .option('--to <time>', 'signals before this time, or now; without it the log is followed', timeOrNow)
    .option(
      '--model <files...>',
      'model files or folders that it scores with; those that the log names if left out',
    )
    .option('--partitions <number>', 'a multiple of those of signals; the same if left out', positiveNumber)
    .action(async ({ into, ...options }: Partial<ReplayOptions>) => {
      if (into === undefined)
        replay.error("error: required option '--into <name>' not specified", { exitCode: WRONG_USE })
      const commands = await import('./commands/replay/replay.ts')
      process.exitCode = await commands.replay({ into: into!, ...options })
    })
  replay
    .command('list')
    .description('the replays that there are, and how far they are')
    .action(async () => {
      const { listReplays } = await import('./commands/replay/replay-list.ts')
      await listReplays()
    })
  replay
    .command('diff')
    .description('tell what a replay did otherwise than what serves: who moved, and which PQLs differ')
    .argument('<name>', 'the replay', replayName)
    .option('--limit <number>', 'rows of each list in the text', positiveNumber, 20)
    .option('--json', 'one JSON document with everything, for scripts')
    .option('--exit-code', 'exit with 1 if anything differs')
    .action(async (name: string, options: ReplayDiffOptions) => {
      const { diffReplay } = await import('./commands/replay/replay-diff.ts')
      process.exitCode = await diffReplay(name, options)
    })
  replay
    .command('promote')
    .description('let a replay serve in place of what serves now: topics and API, without a gap')
    .argument('<name>', 'the replay', replayName)
    .action(async (name: string) => {
      const { promoteReplay } = await import('./commands/replay/replay.ts')
      process.exitCode = await promoteReplay(name)
    })
  replay
    .command('drop')
    .description('delete all that a replay has: its topics and its state')
    .argument('<name>', 'the replay', replayName)
    .action(async (name: string) => {
      const { dropReplayNamed } = await import('./commands/replay/replay.ts')
      await dropReplayNamed(name)
    })

  program
    .command('rebuild')
    .description('empty the store and make it anew, from checkpoints and the log; outputs are not sent again')
    .option('--partition <numbers...>', 'these partitions only', wholeNumbers)
    .option('--from-log', 'from the log alone, without checkpoints')
    .action(async (options: RebuildOptions) => {
      const { rebuild } = await import('./commands/rebuild.ts')
      process.exitCode = await rebuild(options)
    })

  program
    .command('parity')
    .description('recompute some accounts from the log and compare them with what is served; changes nothing')
    .option('--accounts <number>', 'how many, at random', positiveNumber, 100)
    .option('--from-log', 'from the beginning of the log, without checkpoints')
    .option('--json', 'one JSON document, with the bytes of what differs')
    .action(async (options: ParityOptions) => {
      const { parity } = await import('./commands/parity.ts')
      process.exitCode = await parity(options)
    })

  const topics = program.command('topics').description('the Kafka topics')
  topics
    .command('create')
    .description('create the topics that are missing')
    .option(
      '--replication-factor <number>',
      'copies of each partition; the brokers decide if left out',
      positiveNumber,
    )
    .action(async (options: { replicationFactor?: number }) => {
      const { createAllTopics } = await import('./commands/topics.ts')
      await createAllTopics(options)
    })

  const model = program.command('model').description('scoring models')
  model
    .command('check')
    .description('say whether model files can be used, and if not, where and why')
    .argument('[files...]', 'model files or folders; UPSWELL_MODELS if left out')
    .action(async (files: string[]) => {
      const { checkModels } = await import('./commands/model/check-models.ts')
      await checkModels(files)
    })
  model
    .command('test')
    .description('run the examples in model files: given these signals, that score, tier and PQLs')
    .argument('[files...]', 'model files or folders; UPSWELL_MODELS if left out')
    .option('--json', 'one JSON document, for scripts')
    .action(async (files: string[], options: ModelTestOptions) => {
      const { testModels } = await import('./commands/model/model-test.ts')
      process.exitCode = await testModels(files, options)
    })
  model
    .command('diff')
    .description(
      'tell what another version of a model would change on the accounts in the store; changes nothing',
    )
    .argument('<before>', 'a model file, or the word active: what runs in the store')
    .argument('<after>', 'a model file with the same id')
    .option('--limit <number>', 'accounts that are listed in the text', positiveNumber, 20)
    .option('--json', 'one JSON document with every account that changes, for scripts')
    .option('--exit-code', 'exit with 1 if a tier or a PQL changes')
    .action(async (before: string, after: string, options: ModelDiffOptions) => {
      const { diffModels } = await import('./commands/model/model-diff.ts')
      process.exitCode = await diffModels(before, after, options)
    })

  program
    .command('backtest')
    .description(
      "tell how well a model's tiers and PQLs preceded wins, in the log or a file; changes nothing",
    )
    .requiredOption('--model <file>', 'the model file')
    .option(
      '--file <file>',
      'FILE.jsonl[.gz] of canonical signals, or - for standard input, in place of the log',
    )
    .addOption(
      new Option('--horizon <days>', 'how long after a tier or PQL a win counts for it')
        .argParser(horizonDays)
        .default(90, '90d'),
    )
    .option('--won <names...>', 'outcomes that are wins; a name may end in *', ['deal.won'])
    .option('--json', 'one JSON document, for scripts')
    .action(
      async ({ horizon, ...options }: Omit<BacktestCommandOptions, 'horizonDays'> & { horizon: number }) => {
        const { backtest } = await import('./commands/model/backtest.ts')
        process.exitCode = await backtest({ ...options, horizonDays: horizon })
      },
    )
  return program
}

function horizonDays(text: string): number {
  const days = Number(/^(\d{1,4})d$/.exec(text)?.[1])
  if (!(days >= 1 && days <= LONGEST_HORIZON_DAYS))
    throw new InvalidArgumentError(`whole days from 1d to ${LONGEST_HORIZON_DAYS}d are accepted, such as 90d`)
  return days
}

/** It becomes a part of the names of topics. */
function replayName(text: string): string {
  if (!/^[A-Za-z0-9_-]{1,60}$/.test(text))
    throw new InvalidArgumentError(
      '1 to 60 letters, digits, underscores and hyphens are accepted, such as v2',
    )
  return text
}

function time(text: string): number {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text)
  const ms = parseRfc3339(isDay ? `${text}T00:00:00Z` : text)
  if (ms === undefined)
    throw new InvalidArgumentError(
      'a UTC day or a time is accepted, such as 2026-08-01 or 2026-08-01T12:00:00Z',
    )
  return ms
}

function timeOrNow(text: string): number | 'now' {
  return text === 'now' ? text : time(text)
}

function wholeNumbers(text: string, before: readonly number[] | undefined): number[] {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('whole numbers from 0 are accepted')
  return [...(before ?? []), Number(text)]
}

try {
  await buildProgram().parseAsync()
} catch (error) {
  process.stderr.write(`${textOf(error)}\n`)
  process.exit(isUpswellError(error, 'INVALID_SETTINGS', 'INVALID_MODEL') ? WRONG_USE : 1)
}

function textOf(error: unknown): string {
  // A line for each problem, beginning with file:line:column as editors want it.
  if (error instanceof InvalidModelError) return error.message
  if (error instanceof UpswellError) return `upswell: ${describeError(error)}`
  return `upswell: this should not have happened\n${error instanceof Error ? error.stack : String(error)}`
}
