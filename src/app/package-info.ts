import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT } from './config.ts'

export interface PackageInfo {
  readonly version: string
  readonly description: string
}

/** What `package.json` says of this installation. */
export function packageInfo(): PackageInfo {
  return JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as PackageInfo
}
