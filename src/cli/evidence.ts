// `quorate evidence`: whether a validator lied, for those who trust nobody who says so: its own signatures under two
// votes that contradict each other convict it.

import { verifyEvidence } from '../finality/evidence.ts'
import { defineCommand, defineGroup } from './command.ts'
import { runCheck, verifyArguments } from './verdict.ts'

const verifyCommand = defineCommand({
  command: 'verify <file>',
  describe: 'Check the evidence that a validator signed two votes that contradict each other',
  ...verifyArguments,
  run: async ({ file, genesis }, output) =>
    runCheck(
      {
        file,
        genesis,
        verify: verifyEvidence,
        rows: ({ validator, phase, sequence, view }) => [
          ['validator', `${validator.name} (${validator.address})`],
          ['signed twice', `${phase} of sequence number ${sequence}, view ${view}`],
        ],
      },
      output,
    ),
})

/** The commands about evidence. */
export const evidenceCommand = defineGroup('evidence', 'Proofs that a validator lied', [verifyCommand])
