// Checking a file against a genesis file: what the commands about proofs and about evidence have in common. The
// answer is that the file proves what it says, or the reason why not, in one line.

import { InvalidField } from '../encoding/fields.ts'
import type { Refused } from '../finality/verify-proof.ts'
import { CommandError, EXIT, type ExitCode } from './exit-codes.ts'
import { readJson } from './files.ts'
import { type Output, table } from './output.ts'

/** The arguments of a command that checks a file. */
export const verifyArguments = {
  positionals: { file: { type: 'string', demandOption: true, describe: 'JSON file to check' } },
  options: { genesis: { type: 'string', demandOption: true, describe: 'Genesis file of the network' } },
} as const

/** What is checked, how, and how the result is shown. */
export interface Check<T extends object> {
  readonly file: string
  readonly genesis: string
  /** Throws `InvalidField` when the genesis file is wrong. */
  readonly verify: (genesisFile: unknown, file: unknown) => T | Refused
  readonly rows: (verified: T) => readonly (readonly [string, string])[]
}

/** Reads both files, checks, answers, and says how to end. */
export function runCheck<T extends object>(
  { file, genesis, verify, rows }: Check<T>,
  output: Output,
): ExitCode {
  const genesisFile = readJson(genesis)
  const result = naming(genesis, () => verify(genesisFile, readJson(file)))
  if ('refused' in result) {
    output.data({ valid: false, reason: result.refused }, () => `refused: ${result.refused}`)
    return EXIT.no
  }
  output.data({ valid: true, ...result }, () => table(rows(result)))
  return EXIT.done
}

function naming<T>(path: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof InvalidField)) throw error
    throw new CommandError(EXIT.file, `${path} is not a genesis file with validators: ${error.message}`)
  }
}
