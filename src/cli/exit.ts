// From an error to the lines that a user reads and the code that a script sees.
// Only a fault of quorate's own may show a stack, and only when QUORATE_DEBUG is set.

import { stderr } from 'node:process'
import { variable } from './environment.ts'
import { CommandError, EXIT, type ExitCode } from './exit-codes.ts'
import { describeFileError, messageOf } from './file-errors.ts'
import { endWith, type Output } from './output.ts'
import { terminalText } from './terminal-text.ts'

/** Exit codes of errors that come from below, by the name of their class. */
const CODES: ReadonlyMap<string, ExitCode> = new Map([
  ['InvalidField', EXIT.file],
  ['CorruptStore', EXIT.file],
  ['OtherNetwork', EXIT.file],
  ['DamagedVotes', EXIT.file],
  ['IdentityUnusable', EXIT.file],
  ['VoteMarkUnusable', EXIT.file],
  ['DatabaseLocked', EXIT.inUse],
  ['DatabaseCorrupt', EXIT.file],
  ['DatabaseVersionUnknown', EXIT.file],
  ['DatabaseUnusable', EXIT.file],
  ['DataFolderUnusable', EXIT.file],
  ['PortInUse', EXIT.inUse],
  ['CannotListen', EXIT.inUse],
  ['ListenFailed', EXIT.inUse],
  ['InvalidAddress', EXIT.usage],
  ['UnsafeHost', EXIT.usage],
  ['InvalidKeystore', EXIT.file],
  ['InvalidKeystoreDirectory', EXIT.file],
  ['MissingAccount', EXIT.file],
  ['AccountExists', EXIT.file],
  ['FileTooLarge', EXIT.file],
  ['InputTaken', EXIT.usage],
  ['NotRegularFile', EXIT.file],
  ['SilentPipe', EXIT.file],
  ['InvalidAccountName', EXIT.usage],
  ['InvalidSecretKey', EXIT.file],
  ['InvalidTransfer', EXIT.usage],
  ['InvalidNodeUrl', EXIT.usage],
  ['WrongPassword', EXIT.password],
  ['PasswordUnavailable', EXIT.password],
  ['PasswordRefused', EXIT.password],
  ['PromptInterrupted', EXIT.interrupted],
  ['NodeUnreachable', EXIT.node],
  ['InvalidAnswer', EXIT.node],
  ['RpcError', EXIT.node],
  ['ChainReorganised', EXIT.node],
  ['WrongChain', EXIT.no],
  ['FeeTooHigh', EXIT.no],
])

/** Says what went wrong in a line or two and sets the exit code; only a fault of ours is shown with its stack. */
export function exitWith(error: unknown, output: Output): void {
  const code = codeOf(error)
  const file = code === EXIT.file ? describeFileError(error) : null
  const said = file?.cause ?? messageOf(error)
  const cause = code === EXIT.fault ? `a fault in quorate: ${said}` : said
  const remedy = remedyOf(error) ?? file?.remedy ?? null
  if (output.isJson) output.data({ error: cause, code, ...(remedy === null ? {} : { remedy }) }, () => '')
  stderr.write(terminalText(`quorate: ${cause}\n${remedy === null ? '' : `  ${remedy}\n`}`))
  if (code === EXIT.fault && variable('QUORATE_DEBUG') !== undefined && error instanceof Error) {
    stderr.write(`${error.stack}\n`)
  }
  endWith(code)
}

/** What an error of ours says to do. */
function remedyOf(error: unknown): string | null {
  const remedy = error instanceof Error && 'remedy' in error ? error.remedy : null
  return typeof remedy === 'string' ? remedy : null
}

function codeOf(error: unknown): ExitCode {
  if (error instanceof CommandError) return error.code
  // A node that could not start has said in its own code why.
  if (error instanceof Error && error.name === 'NodeNotStarted' && 'exitCode' in error)
    return Object.values(EXIT).find(code => code === error.exitCode) ?? EXIT.fault
  const named = error instanceof Error ? CODES.get(error.name) : undefined
  return named ?? (describeFileError(error) === null ? EXIT.fault : EXIT.file)
}
