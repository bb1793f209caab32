import type { Command } from 'commander'
import type { ConfirmOptions } from '../confirm.ts'
import { portNumber, positiveNumber, replayName, time, timeOrNow } from '../parse-option.ts'
import type { ReplayOptions } from './replay.ts'
import type { ReplayDiffOptions } from './replay-diff.ts'

const YES = 'do not ask: needed where nobody can answer, such as in a script'

/** @param wrongUse the exit code if an option is missing */
export function addReplayCommands(program: Command, wrongUse: number): void {
  const replay = program
    .command('replay')
    .description(
      'copy the log into its own topics and namespace, and score the copy: with other models or more partitions',
    )
    .option('--into <name>', 'the name of the replay; the same name continues it', replayName)
    .option('--from <time>', 'only signals of this time and later; from the beginning if left out', time)
    .option(
      '--to <time>',
      'only signals before this time, or now; if left out, the replay follows the log',
      timeOrNow,
    )
    .option('--model <files...>', 'model files or folders to score with; the models in the log if left out')
    .option(
      '--latest <time>',
      'repair a log with times of the future: records with a later time get this time, and later ticks are left out',
      time,
    )
    .option(
      '--partitions <number>',
      'a multiple of the number of partitions that signals has; the same number if left out',
      positiveNumber,
    )
    .option(
      '--metrics-port <port>',
      'answer /metrics on this port of UPSWELL_HOST; 0: any free one',
      portNumber,
    )
    .action(async ({ into, ...options }: Partial<ReplayOptions>) => {
      if (into === undefined)
        replay.error("error: required option '--into <name>' not specified", { exitCode: wrongUse })
      const commands = await import('./replay.ts')
      process.exitCode = await commands.replay({ into: into!, ...options })
    })
  replay
    .command('list')
    .description('list the replays and their progress')
    .action(async () => {
      const { listReplays } = await import('./replay-list.ts')
      await listReplays()
    })
  replay
    .command('diff')
    .description(
      'compare a replay with the live results: which accounts are in another tier, which PQLs differ',
    )
    .argument('<name>', 'the replay', replayName)
    .option('--limit <number>', 'how many rows each list in the text has at most', positiveNumber, 20)
    .option('--json', 'one JSON document with everything, for scripts')
    .option('--exit-code', 'exit with 1 if anything differs')
    .action(async (name: string, options: ReplayDiffOptions) => {
      const { diffReplay } = await import('./replay-diff.ts')
      process.exitCode = await diffReplay(name, options)
    })
  replay
    .command('promote')
    .description(
      'let a replay serve the topics and the API in place of the live results; it says what changes, and asks, since it cannot be undone',
    )
    .argument('<name>', 'the replay', replayName)
    .option('--yes', YES)
    .action(async (name: string, options: ConfirmOptions) => {
      const { promoteReplay } = await import('./replay-promote.ts')
      process.exitCode = await promoteReplay(name, options)
    })
  replay
    .command('drop')
    .description('delete a replay: its topics, its consumer groups and its state; it asks before')
    .argument('<name>', 'the replay', replayName)
    .option('--yes', YES)
    .action(async (name: string, options: ConfirmOptions) => {
      const { dropReplayNamed } = await import('./replay-drop.ts')
      process.exitCode = await dropReplayNamed(name, options)
    })
}
