// `quorate finality`: proofs that a block is final, for verifiers that trust no node: they have the genesis file, and a
// proof from any source.

import { type FinalityProof, readFinalityProof } from '../finality/finality-proof.ts'
import { verifyFinalityProof } from '../finality/verify-proof.ts'
import { readAnswer } from '../wallet/rpc-answer.ts'
import { type RpcClient, RpcError } from '../wallet/rpc-client.ts'
import { defineCommand, defineGroup } from './command.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { writeJson } from './files.ts'
import { clientOf, nodeOptions, readBlockName } from './node-option.ts'
import { runCheck, verifyArguments } from './verdict.ts'

const METHOD = 'quorate_getFinalityProof'
/** Codes of a node's errors (src/rpc/errors.ts). */
const UNKNOWN_BLOCK = -39001
const REFUSED = -32000

const proofCommand = defineCommand({
  command: 'proof [block]',
  describe: 'Get a proof that a block is final from a node',
  positionals: {
    block: {
      type: 'string',
      default: 'finalized',
      describe: 'Height or id of a block, or finalized for the last final block',
    },
  },
  options: {
    ...nodeOptions,
    out: { type: 'string', describe: 'File to write; it must not exist', defaultDescription: 'stdout' },
  },
  examples: [
    ['quorate finality proof 12 --out proof.json', ''],
    ['quorate finality verify proof.json --genesis genesis/pbft.json', ''],
  ],
  run: async (args, output) => {
    const proof = await askProof(clientOf(args), args.block)
    if (args.out === undefined) {
      output.data(proof, () => JSON.stringify(proof, null, 2))
      return EXIT.done
    }
    await writeJson(args.out, proof)
    const { block, headers, certificate } = proof
    const signatures = certificate.signatures.length
    output.data(
      { file: args.out, block: block.id, height: block.height, signatures },
      () =>
        `${args.out}: block ${block.height}, ${block.id}, ${headers.length} header${headers.length === 1 ? '' : 's'}, ${signatures} signatures`,
    )
    return EXIT.done
  },
})

const verifyCommand = defineCommand({
  command: 'verify <file>',
  describe: 'Check a proof that a block is final, without a node',
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

/** The proof for a block as a person names it. Ends the command with code 1 when the node has none. */
async function askProof(client: RpcClient, block: string): Promise<FinalityProof> {
  const { parameter } = readBlockName(block)
  let answer: unknown
  try {
    answer = await client.call(METHOD, [parameter])
  } catch (error) {
    if (!(error instanceof RpcError)) throw error
    switch (error.code) {
      case UNKNOWN_BLOCK: {
        const cause = block === 'finalized' ? 'nothing is final yet' : `the node has no block ${block}`
        throw new CommandError(EXIT.no, cause, 'quorate doctor says why finality does not move.')
      }
      case REFUSED:
        throw new CommandError(EXIT.no, `no proof: ${error.message}`)
    }
    throw error
  }
  return readAnswer(METHOD, () => readFinalityProof(answer))
}

/** The commands about proofs of finality. */
export const finalityCommand = defineGroup('finality', 'Proofs that a block is final', [
  proofCommand,
  verifyCommand,
])
