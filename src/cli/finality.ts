// `quorate finality`: whether a block is final, for those who trust no node: they have the genesis file, and a proof
// that any node may have given them.

import { verifyFinalityProof } from '../finality/verify-proof.ts'
import { defineCommand, defineGroup } from './command.ts'
import { runCheck, verifyArguments } from './verdict.ts'

const verifyCommand = defineCommand({
  command: 'verify <file>',
  describe: 'Check a finality proof, as quorate_getFinalityProof gives it, without a node',
  ...verifyArguments,
  run: async ({ file, genesis }, output) =>
    runCheck(
      {
        file,
        genesis,
        verify: verifyFinalityProof,
        rows: ({ block, signers }) => [
          ['final', block],
          ['signed by', signers.join(', ')],
        ],
      },
      output,
    ),
})

/** The commands about proofs of finality. */
export const finalityCommand = defineGroup('finality', 'Proofs that a block is final', [verifyCommand])
