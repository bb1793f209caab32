import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Each test file, and each process that it starts, works in an empty folder: a relative path that only some
// folder happens to hold fails everywhere.
process.chdir(mkdtempSync(join(tmpdir(), 'cwd-')))
