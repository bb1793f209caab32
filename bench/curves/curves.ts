import type { ModelSource } from '../../src/models/model-library.ts'
import { readModel, rollingScoreCopies, rollingScoreOver } from '../signals/models.ts'
import type { SignalChoice } from '../signals/signals.ts'

/** How the cost of scoring changes with one variable, all else being equal. */
export interface Curve {
  readonly id: string
  readonly title: string
  /** The variable. */
  readonly axis: string
  /** The figure that is drawn; the table has both. */
  readonly drawn: 'signals/s' | 'peak MiB'
  readonly lines: readonly CurveLine[]
}

export interface CurveLine {
  readonly label: string
  readonly points: readonly CurvePoint[]
}

export interface CurvePoint {
  readonly x: number
  readonly signals: SignalChoice
  readonly models: readonly ModelSource[]
  readonly processes: number
  /** Settings of the scorers. */
  readonly settings: Readonly<Record<string, string>>
}

export interface CurveSizes {
  readonly signals: number
  readonly accounts: readonly number[]
  readonly users: readonly number[]
  readonly models: readonly number[]
  readonly windowDays: readonly number[]
  readonly batchSizes: readonly number[]
  readonly processes: readonly number[]
  readonly backlogs: readonly number[]
  readonly checkpointIntervalsMs: readonly number[]
}

export const QUICK_CURVES: CurveSizes = {
  signals: 50_000,
  accounts: [1_000, 20_000, 100_000],
  users: [10, 10_000],
  models: [1, 4],
  windowDays: [7, 365],
  batchSizes: [100, 2_500],
  processes: [],
  backlogs: [],
  checkpointIntervalsMs: [],
}

export const FULL_CURVES: CurveSizes = {
  signals: 1_000_000,
  accounts: [1_000, 10_000, 100_000, 1_000_000],
  users: [10, 100, 1_000, 10_000, 100_000],
  models: [1, 2, 4, 8],
  windowDays: [7, 30, 90, 180, 365],
  batchSizes: [100, 250, 500, 1_000, 2_500, 5_000, 10_000],
  processes: [1, 2, 3],
  backlogs: [100_000, 400_000, 1_600_000, 4_000_000],
  checkpointIntervalsMs: [0, 300_000, 5_000, 100],
}

const SEED = 42
/** Few, so that each account has many signals. */
const ACCOUNTS_OF_MANY_USERS = 8
/** Longer than the longest window, so that days leave every window. */
const DAYS_OF_WINDOWS = 400

export function curvesOf(sizes: CurveSizes): Curve[] {
  const usual: CurvePoint = {
    x: 0,
    signals: { count: sizes.signals, seed: SEED },
    models: [readModel('rolling-score')],
    processes: 1,
    settings: {},
  }
  const points = (xs: readonly number[], change: (x: number) => Partial<CurvePoint>): CurvePoint[] =>
    xs.map(x => ({ ...usual, ...change(x), x }))
  const signals = (more: Partial<SignalChoice>) => ({ signals: { ...usual.signals, ...more } })
  const curves: Curve[] = [
    {
      id: 'accounts',
      title: 'Accounts',
      axis: 'accounts that signals are drawn from',
      drawn: 'signals/s',
      lines: [
        { label: 'Zipf', points: points(sizes.accounts, accounts => signals({ accounts })) },
        { label: 'even', points: points(sizes.accounts, accounts => signals({ accounts, spread: 'even' })) },
      ],
    },
    {
      id: 'users',
      title: 'Users of an account',
      axis: `users of an account, at most; ${ACCOUNTS_OF_MANY_USERS} accounts, evenly`,
      drawn: 'signals/s',
      lines: [
        {
          label: 'rolling-score',
          points: points(sizes.users, users =>
            signals({ users, accounts: ACCOUNTS_OF_MANY_USERS, spread: 'even' }),
          ),
        },
      ],
    },
    {
      id: 'models',
      title: 'Models',
      axis: 'models that run at once, all like rolling-score',
      drawn: 'signals/s',
      lines: [
        {
          label: 'rolling-score',
          points: points(sizes.models, count => ({ models: rollingScoreCopies(count) })),
        },
      ],
    },
    {
      id: 'windows',
      title: 'Length of the window',
      axis: `days of the model's windows; the signals are of ${DAYS_OF_WINDOWS} days`,
      drawn: 'signals/s',
      lines: [
        {
          label: 'rolling-score',
          points: points(sizes.windowDays, days => ({
            models: [rollingScoreOver(days)],
            ...signals({ days: DAYS_OF_WINDOWS }),
          })),
        },
      ],
    },
    {
      id: 'batches',
      title: 'Size of a batch',
      axis: 'UPSWELL_BATCH_SIZE, the most records worked on at a time',
      drawn: 'signals/s',
      lines: [
        {
          label: 'rolling-score',
          points: points(sizes.batchSizes, size => ({ settings: { UPSWELL_BATCH_SIZE: String(size) } })),
        },
      ],
    },
    {
      id: 'processes',
      title: 'Processes',
      axis: 'processes of one group, 4 partitions',
      drawn: 'signals/s',
      lines: [{ label: 'rolling-score', points: points(sizes.processes, processes => ({ processes })) }],
    },
    {
      id: 'backlog',
      title: 'Memory under a backlog',
      axis: 'signals that wait when the scorer starts',
      drawn: 'peak MiB',
      lines: [{ label: 'rolling-score', points: points(sizes.backlogs, count => signals({ count })) }],
    },
    {
      id: 'checkpoints',
      title: 'Writing checkpoints',
      axis: 'UPSWELL_CHECKPOINT_INTERVAL_MS; 0: none, 100: one is always under way',
      drawn: 'signals/s',
      lines: [
        {
          label: 'rolling-score',
          points: points(sizes.checkpointIntervalsMs, interval => ({
            settings: { UPSWELL_CHECKPOINT_INTERVAL_MS: String(interval) },
          })),
        },
      ],
    },
  ]
  return curves.filter(({ lines }) => lines.every(line => line.points.length > 0))
}
