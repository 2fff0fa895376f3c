// The version of this program, from its package file: shown by --version and by the node's RPC.
// There is one place for it.

import { readFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** Such as `0.1.0`. */
export const VERSION = manifest.version
