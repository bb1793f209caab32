#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { checkModels } from './commands/model.ts'
import { run } from './commands/run.ts'
import { type SendOptions, send } from './commands/send.ts'
import { start } from './commands/start.ts'
import { createAllTopics } from './commands/topics.ts'
import { describeSettings, PACKAGE_ROOT } from './config.ts'
import { describeError, UpswellError } from './errors.ts'
import { InvalidModelError } from './models/invalid-model-error.ts'

/** Exit codes that scripts can use: 0 done, 1 something failed or was left out, 2 the command, a setting or a model is wrong. */
const WRONG_USE = 2

function buildProgram(): Command {
  const { version, description } = JSON.parse(
    readFileSync(resolve(PACKAGE_ROOT, 'package.json'), 'utf8'),
  ) as Record<string, string>
  const program = new Command('upswell')
    .description(description!)
    .version(version!)
    .addHelpText('after', `\n${describeSettings()}`)
  program.showHelpAfterError('(upswell --help shows what is accepted)')

  program
    .command('start')
    .description('run everything in one process: embedded, or on Kafka and Redis where KAFKA_BROKERS is set')
    .option('--empty', 'embedded: begin without the sample workspace')
    .action((options: { empty?: boolean }) => start({ empty: options.empty === true }))
  for (const [role, about] of [
    ['ingest', 'source topics → signals, or dead-letter'],
    ['score', 'signals → scores, tier changes and PQLs; run as many as there are partitions, at most'],
    ['api', 'the query API'],
  ] as const) {
    program
      .command(role)
      .description(`run one role on Kafka and Redis: ${about}`)
      .action(() => run(role))
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
      process.exitCode = await send(file, options)
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
    .action((options: { replicationFactor?: number }) => createAllTopics(options))

  const model = program.command('model').description('scoring models')
  model
    .command('check')
    .description('say whether model files can be used, and if not, where and why')
    .argument('[files...]', 'model files or folders; UPSWELL_MODELS if left out')
    .action((files: string[]) => checkModels(files))
  return program
}

function positiveNumber(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('a whole number from 1 is accepted')
  return number
}

try {
  await buildProgram().parseAsync()
} catch (error) {
  const expected = error instanceof UpswellError || error instanceof InvalidModelError
  process.stderr.write(
    expected
      ? `upswell: ${describeError(error)}\n`
      : `upswell: this should not have happened\n${(error as Error).stack}\n`,
  )
  const wrongUse =
    error instanceof InvalidModelError || (error instanceof UpswellError && error.code === 'INVALID_SETTINGS')
  process.exit(wrongUse ? WRONG_USE : 1)
}
