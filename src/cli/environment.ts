// The environment variables of quorate. An empty one counts as unset: that is what `QUORATE_RPC= quorate status` and an
// unset variable of a script mean.

import { env } from 'node:process'

/** The value of a variable, or undefined where it is not set or empty. */
export function variable(name: 'QUORATE_HOME' | 'QUORATE_RPC' | 'QUORATE_DEBUG'): string | undefined {
  const value = env[name]
  return value === '' ? undefined : value
}
