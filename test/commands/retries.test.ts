import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, test } from 'vitest'
import { GROWTH } from '../api/world.ts'
import { expectFileOnce, expectRequestsOnce, type Retried } from '../support/expect-retries.ts'
import { buildCli, CliProcess, temporaryFolder } from './cli.ts'

const BUILD_TIMEOUT_MS = 150_000

describe('an embedded installation counts once', { timeout: 120_000 }, () => {
  let main: string
  beforeAll(async () => {
    main = await buildCli()
  }, BUILD_TIMEOUT_MS)

  async function start(): Promise<Retried> {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'growth.yaml'), GROWTH)
    const env = {
      UPSWELL_PORT: '0',
      UPSWELL_DATA_DIR: join(folder, 'data'),
      UPSWELL_MODELS: join(folder, 'growth.yaml'),
    }
    const upswell = new CliProcess(main, ['start', '--empty'], { env }).endWithTest()
    const [, url] = await upswell.says(/Ranked accounts {3}(\S+)\/v1\/accounts\n/, 60_000)
    return { main, env, url: url! }
  }

  test('the signals of a file that is sent twice', async () => expectFileOnce(await start()))

  test('the signals of a request that is sent again after others', async () => {
    await expectRequestsOnce(await start())
  })
})
