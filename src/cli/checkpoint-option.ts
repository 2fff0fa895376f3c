// The option for a trusted checkpoint (weak subjectivity; docs/security-model.md): HEIGHT:ID of a final block, as `quorate status`
// of a trusted node shows them.

import type { Checkpoint } from '../replica/checkpoint.ts'
import { CommandError, EXIT } from './exit-codes.ts'

/** The option of a node. */
export const checkpointOption = {
  checkpoint: {
    type: 'string',
    describe:
      'HEIGHT:ID of a block that a node you trust calls final; no chain without it is followed (see docs/security-model.md)',
  },
} as const

const PATTERN = /^([1-9][0-9]{0,14}):(0x[0-9a-f]{64})$/i

/** The checkpoint that the option gives, or null; ends the command when it is invalid. */
export function readCheckpoint(text: string | readonly string[] | undefined): Checkpoint | null {
  if (text === undefined) return null
  const [, height, id] = (typeof text === 'string' ? PATTERN.exec(text) : null) ?? []
  if (height === undefined || id === undefined)
    throw new CommandError(
      EXIT.usage,
      `--checkpoint: expected one HEIGHT:ID, a height from 1 and 0x with 64 hex digits, got ${String(text)}`,
      'quorate status shows both for the last final block of a node that you trust.',
    )
  return { height: Number(height), id: id.toLowerCase() as Checkpoint['id'] }
}

/** The error that ends a command whose chain lacks the checkpoint, with its remedy; any other as it is. */
export function explainMismatch(error: unknown, chainDirectory: string): unknown {
  if (!(error instanceof Error) || error.name !== 'CheckpointMismatch') return error
  return new CommandError(
    EXIT.file,
    `--checkpoint: ${error.message} (${chainDirectory})`,
    'Ask again for the checkpoint. If it is right, move that folder away, and the node fetches the other chain; a ' +
      'validator does so without --validator, since the record of its votes is lost with the folder.',
  )
}
